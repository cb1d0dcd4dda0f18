// Package mariadb runs a private MariaDB server for a run of the stack or for a test.
package mariadb

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/local/system/filelock"
	"restock/local/system/openfiles"
	"restock/local/system/process"
	"restock/local/system/tempdir"
)

// Config configures a server. The zero value is a server with an empty, temporary data directory on
// a free port.
type Config struct {
	// Dir is the data directory. It is initialised if it is empty or missing, and kept when the
	// server stops. Empty means a temporary directory that Stop removes. The administrator's
	// password in it changes at every start.
	Dir string

	// Port on 127.0.0.1; 0 means any free port.
	Port int

	// Password is the administrator's password, for a caller that reconnects after a restart. Empty
	// means a new one.
	Password string

	// Args follow the package's own arguments of mariadbd and override them, for example [Relaxed],
	// --skip-log-bin or --ssl-cert=…
	Args []string

	// TLS is the administrator's TLS configuration. Nil means no TLS, which fails if Args make the
	// server require it.
	TLS *tls.Config

	// Log receives the server's error log, at level Debug. Nil discards it.
	Log *slog.Logger

	freePort func() (int, error) // tests replace it
}

const (
	// startTimeout limits the wait for a server that neither ends nor answers. The recovery of a
	// kept data directory after a crash takes longest, and a busy machine may need minutes.
	startTimeout = 15 * time.Minute

	// slowStart is the time after which the log says that the server still starts.
	slowStart = 30 * time.Second

	// stopTimeout limits the time in which a server flushes its buffers.
	stopTimeout = 30 * time.Second

	// pollInterval is the time between two attempts to connect during the start.
	pollInterval = 10 * time.Millisecond

	// logFileSize is the size of InnoDB's redo log. The template has the same size, otherwise the
	// server would rewrite the log at its first start.
	logFileSize = "16M"

	// portAttempts limits the retries when another program takes the free port before the server
	// listens.
	portAttempts = 5
)

// errPortTaken is the only failure of a start after which another free port helps.
var errPortTaken = errors.New("in use by another program: name another port")

// errEnded is the failure of a start whose server ended by itself.
var errEnded = errors.New("the server ended")

// Server is a running server.
type Server struct {
	admin  *mysql.Config
	proc   *process.Process
	errLog *process.Tail
	tmp    *tempdir.Dir   // all files of the server; a kept data directory is outside
	lock   *filelock.Lock // on a kept data directory

	stop    sync.Once
	stopErr error
}

// Start starts a server and waits until it answers. ctx limits only the start; the server runs
// until Stop. The error is ErrNotInstalled if MariaDB is missing. Otherwise it has the last lines
// of the server's error log.
//
// A start takes 0.3 s on two cores, measured with MariaDB 10.11. This includes 0.01 s for the copy
// of the template. Without a template, the initialisation would take another 0.6 s.
func Start(ctx context.Context, c Config) (*Server, error) {
	bin, err := locate(searchPath())
	if err != nil {
		return nil, err
	}
	log := cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.freePort == nil {
		c.freePort = freePort
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it did not answer within %v", startTimeout))
	defer cancel()
	slow := time.AfterFunc(slowStart, func() {
		log.InfoContext(ctx, "the database still starts: the machine is busy, or it recovers from a crash")
	})
	defer slow.Stop()

	s := &Server{}
	if err := s.prepare(ctx, c, bin, log); err != nil {
		return nil, errors.Join(err, s.cleanUp())
	}
	for attempt := 1; ; attempt++ {
		err := s.launch(ctx, c, bin, log)
		if err == nil {
			log.DebugContext(ctx, "database started", "addr", s.admin.Addr)
			return s, nil
		}
		if c.Port == 0 && errors.Is(err, errPortTaken) && attempt < portAttempts {
			continue
		}
		return nil, errors.Join(fmt.Errorf("starting MariaDB: %w", err), s.cleanUp())
	}
}

// prepare creates the directories that the server needs.
func (s *Server) prepare(ctx context.Context, c Config, bin binaries, log *slog.Logger) (err error) {
	if s.tmp, err = tempdir.New("restock-mariadb-*"); err != nil {
		return fmt.Errorf("starting MariaDB: %w", err)
	}
	const otherFolder = "set TMPDIR to another folder"
	if strings.ContainsRune(s.tmp.Path(), filepath.ListSeparator) {
		return fmt.Errorf("starting MariaDB: it would read the temporary folder %s as a list of folders, because of "+
			"the %c: %s",
			s.tmp.Path(), filepath.ListSeparator, otherFolder)
	}
	if err := checkLength(s.tmp.Path(), otherFolder); err != nil {
		return fmt.Errorf("starting MariaDB: the temporary folder %w", err)
	}
	if err := os.Mkdir(s.tmpDir(), 0o700); err != nil {
		return fmt.Errorf("starting MariaDB: %w", err)
	}
	if c.Dir == "" {
		return populate(ctx, bin, s.dataDir(c), log)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("finding MariaDB's data directory: %w", err)
	}
	if err := checkLength(dir, "name another one"); err != nil {
		return fmt.Errorf("starting MariaDB: the data directory %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("making MariaDB's data directory: %w", err)
	}
	if s.lock, err = lock(c.Dir); err != nil {
		return fmt.Errorf("starting MariaDB: %w", err)
	}
	if err := populate(ctx, bin, c.Dir, log); err != nil {
		return err
	}
	return checkSeries(ctx, bin, c.Dir)
}

// maxPath limits a directory's path in bytes. MariaDB's buffers for paths have 512 bytes, and the
// names of a database and of a table follow the directory.
const maxPath = 300

// checkLength returns an error if a directory's path is too long. The error begins with the
// directory.
func checkLength(dir, advice string) error {
	if len(dir) > maxPath {
		return fmt.Errorf("%s has a path of %d bytes, and MariaDB allows %d: %s", dir, len(dir), maxPath, advice)
	}
	return nil
}

func (s *Server) dataDir(c Config) string { return cmp.Or(c.Dir, filepath.Join(s.tmp.Path(), "data")) }
func (s *Server) tmpDir() string          { return filepath.Join(s.tmp.Path(), "tmp") }

// launch starts the server process and waits until it answers.
func (s *Server) launch(ctx context.Context, c Config, bin binaries, log *slog.Logger) error {
	port := c.Port
	if port == 0 {
		var err error
		if port, err = c.freePort(); err != nil {
			return err
		}
	}
	dataDir, err := filepath.Abs(s.dataDir(c))
	if err != nil {
		return err
	}

	s.admin = mysql.NewConfig()
	s.admin.User = "root"
	s.admin.Passwd = cmp.Or(c.Password, rand.Text())
	s.admin.Net = "tcp"
	s.admin.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.admin.TLS = c.TLS

	initFile := filepath.Join(s.tmp.Path(), "init.sql")
	if err := os.WriteFile(initFile, []byte(accounts(s.admin)), 0o600); err != nil {
		return err
	}

	args := []string{
		"--no-defaults", // must be the first argument
		"--datadir=" + dataDir,
		"--tmpdir=" + s.tmpDir(),
		"--pid-file=" + filepath.Join(s.tmp.Path(), "pid"),
		"--init-file=" + initFile,
		"--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(port),
		"--socket=", // no socket: only TCP, as on RDS
		"--skip-name-resolve",
		"--character-set-server=utf8mb4",
		"--default-time-zone=+00:00",
	}
	args = append(args, binaryLog...)
	args = append(args,
		// These settings limit the memory to about 70 MB.
		"--performance-schema=OFF",
		"--innodb-buffer-pool-size=32M",
		"--innodb-log-file-size="+logFileSize,
		"--key-buffer-size=1M",
		"--aria-pagecache-buffer-size=1M",
	)
	args = append(args, asRoot()...)
	args = append(args, c.Args...)

	s.errLog = process.NewTail(20)
	var complaints []string // kept separately, because the tail of the log may lose them
	s.proc, err = process.Start(process.Config{
		Path: bin.server,
		Args: args,
		Dir:  s.tmp.Path(),
		Stderr: func(line string) {
			s.errLog.Add(line)
			if len(complaints) == 0 && strings.Contains(line, "[ERROR]") {
				complaints = append(complaints, line)
			}
			log.Debug(line, "component", "mariadb")
		},
	})
	if err != nil {
		return err
	}
	if err := s.awaitAnswer(ctx); err != nil {
		// Not SIGTERM: MariaDB 10.11 hangs forever if it receives it before it is ready.
		s.proc.Kill()
		lines := strings.Join(s.errLog.Lines(), "\n")
		if strings.Contains(lines, "Address already in use") {
			err = fmt.Errorf("%s is %w", s.admin.Addr, errPortTaken)
		} else if why := complaint(complaints); c.Dir != "" && errors.Is(err, errEnded) && blamesData(why) {
			return fmt.Errorf("%w: MariaDB does not start with those in %s: %s", ErrData, c.Dir, why)
		}
		return fmt.Errorf("%w; the end of its log:\n%s", err, lines)
	}
	return nil
}

// accounts returns the statements that make the administrator the only account with privileges. The
// server runs them before it accepts connections. They do not contain the password.
func accounts(admin *mysql.Config) string {
	// --init-file requires one statement a line.
	return strings.Join([]string{
		"DELETE FROM mysql.global_priv WHERE User IN ('', 'root');",
		"DELETE FROM mysql.proxies_priv;",
		"FLUSH PRIVILEGES;",
		fmt.Sprintf("CREATE USER '%s'@'127.0.0.1' IDENTIFIED VIA mysql_native_password USING '%s';", admin.User,
			nativeHash(admin.Passwd)),
		fmt.Sprintf("GRANT ALL PRIVILEGES ON *.* TO '%s'@'127.0.0.1' WITH GRANT OPTION;", admin.User),
	}, "\n") + "\n"
}

// awaitAnswer waits until the administrator can log in. A successful login proves that this server
// answers, and not another one on the same port: only this server has the password.
func (s *Server) awaitAnswer(ctx context.Context) error {
	c := s.Admin()
	c.Logger = &mysql.NopLogger{} // refused connections are expected
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()

	// The attempt must end with the server: another program on the port may accept the connection
	// and never answer.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.proc.Done():
			cancel(fmt.Errorf("%w: %w", errEnded, cmp.Or(s.proc.Err(), errors.New("exit status 0"))))
		case <-ctx.Done():
		}
	}()

	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("%w (the last attempt to connect: %v)", context.Cause(ctx), err)
		}
	}
}

// Admin returns the administrator's connection settings, without a database. The administrator has
// all privileges. The caller owns the copy.
func (s *Server) Admin() *mysql.Config { return s.admin.Clone() }

// Done is closed when the server process has ended for any reason.
func (s *Server) Done() <-chan struct{} { return s.proc.Done() }

// Kill kills the server without a shutdown, like a power failure. Call Stop afterwards to clean up.
func (s *Server) Kill() { s.proc.Kill() }

// Stop shuts the server down and removes its files, except a data directory that Config names. It
// may be called more than once.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.lock == nil { // its data is removed now: a shutdown would only write it
			s.proc.Kill()
		}
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		s.stopErr = errors.Join(s.proc.Stop(ctx), s.cleanUp())
	})
	return s.stopErr
}

// cleanUp removes the directories of prepare. The server process must have ended.
func (s *Server) cleanUp() error {
	return errors.Join(s.tmp.Remove(), s.lock.Release())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", openfiles.Explain(err))
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// asRoot returns the argument that mariadbd requires to run as root.
func asRoot() []string {
	if syscall.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}
