package mysql

import (
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// authorities are the certificate authorities that sign for databases: the ones of Amazon RDS, one
// file a region, and Amazon's own, which sign for RDS Proxy and which browsers know, too.
//
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
//
//go:embed authorities
var authorities embed.FS

// regionOf returns the region in the host name of an RDS database or proxy, empty for another host.
func regionOf(host string) string {
	name, inRDS := strings.CutSuffix(host, ".rds.amazonaws.com")
	if !inRDS {
		return ""
	}
	return name[strings.LastIndex(name, ".")+1:]
}

// authoritiesOf returns the certificate authorities that sign for a host: Amazon's own, and for an
// RDS host the ones of its region. All regions together have more than eighty; to parse all of them
// would take a third of a cold start.
func authoritiesOf(host string) (*x509.CertPool, error) {
	regions := "*"
	if region := regionOf(host); region != "" {
		if _, err := fs.Stat(authorities, "authorities/rds/"+region+".pem"); err == nil {
			regions = region
		}
	}
	files, err := fs.Glob(authorities, "authorities/rds/"+regions+".pem")
	if err != nil {
		return nil, fmt.Errorf("looking for the embedded certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	for _, file := range append(files, "authorities/amazon.pem") {
		text, err := authorities.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the embedded certificate authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, errors.New("the embedded certificate authorities in " + file + " cannot be read")
		}
	}
	return pool, nil
}
