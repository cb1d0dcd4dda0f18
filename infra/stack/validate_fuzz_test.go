package stack

import (
	"encoding/json"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzValidate checks that accepted settings make addresses that work, and that an error is one
// line.
func FuzzValidate(f *testing.F) {
	with := func(more string) string {
		return `{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com"` + more + `}`
	}
	for _, text := range []string{
		with(``), with(`,"factoryUrl":"https://host?"`), with(`,"factoryUrl":"https://host#"`),
		with(`,"factoryUrl":"https://:443"`),
		with(`,"factoryUrl":"http://[::1]:8081/"`), with(`,"factoryUrl":"https://host//"`),
		with(`,"zones":["ap-northeast-2a","ap-northeast-2\nb"]`), with(`,"zones":["x\u001b[31m",""]`),
		with(`,"endpointZones":["a\nb"]`),
		with(`,"concurrency":{"a\nb":1,"stock":9223372036854775807}`),
		with(`,"database":{"storageGiB":9223372036854775807,"maxStorageGiB":1}`),
		with(`,"protect":true,"database":{"keepBackups":true}`),
		with(`,"protect":true,"database":{"backupRetentionDays":0}`),
		with(`,"database":{"instanceClass":"a\nb"}`), with(`,"alarmEmail":"A <a@example.com>"`),
		with(`,"alarmEmail":"a@example.com\n"`), with(`,"corsOrigins":["*","https://a.example?"]`),
		with(`,"domain":{"name":"shop.example.com\n","certificateArn":"arn:aws:acm:ap-northeast-2:1:certificate/x"}`),
		with(`,"throttling":{"ratePerSecond":1e308,"burst":-1}`), `{}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := Defaults()
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return // package settings reports it
		}
		s.complete()
		if err := s.validate("ap-northeast-2"); err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
				t.Errorf("%s: the error is %q", text, err)
			}
			return
		}
		if s.FactoryURL == SimulatedFactory {
			s.FactoryURL = "https://api.example" // the stage's own
		}
		u, err := url.Parse(strings.TrimSuffix(s.FactoryURL, "/") + "/api/manufactures") // like the factory's client
		if err != nil || u.Hostname() == "" || u.Path != "/api/manufactures" || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%s: the client would send requests to %v, %v", text, u, err)
		}
		for _, zone := range s.Zones {
			if strings.ContainsFunc(zone, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%s: got the zone %q, want an error: AWS has no such zone", text, zone)
			}
		}
		for _, origin := range s.CORSOrigins {
			// A browser's Origin header has a scheme, a host and a port:
			// https://www.rfc-editor.org/rfc/rfc6454#section-6.1
			if u, err := url.Parse(origin); origin != "*" && (err != nil || origin != u.Scheme+"://"+u.Host) {
				t.Errorf("%s: got the origin %q, want an error: no browser sends it", text, origin)
			}
		}
		if s.AlarmEmail != "" {
			if address, err := mail.ParseAddress(s.AlarmEmail); err != nil || address.Address != s.AlarmEmail {
				t.Errorf("%s: got the address %q, want an error: SNS cannot send to it", text, s.AlarmEmail)
			}
		}
		if d := s.Database; d.StorageGiB < 20 || d.MaxStorageGiB != 0 && d.MaxStorageGiB <= d.StorageGiB {
			t.Errorf("%s: got the storage %+v, want an error", text, d)
		} else if s.Protect && (d.BackupRetentionDays < 1 || !d.KeepBackups) {
			t.Errorf("%s: the database %+v is protected without backups, want an error", text, d)
		}
	})
}
