package mysql

import (
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// authorities are the certificate authorities that sign for databases: those of Amazon RDS, a file for each region,
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html, and Amazon's own, as browsers have them, which sign
// for RDS Proxy: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
//
//go:embed authorities
var authorities embed.FS

// regionOf is the region in the name of a database, or a proxy, in RDS; empty for another name.
func regionOf(host string) string {
	name, inRDS := strings.CutSuffix(host, ".rds.amazonaws.com")
	if !inRDS {
		return ""
	}
	return name[strings.LastIndex(name, ".")+1:]
}

// authoritiesOf are those that sign for a host. All regions' together are more than eighty, and reading them is a third of a cold start: a
// name that says its region needs that one's alone.
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
