package stack

import (
	"encoding/json"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzValidate holds that settings that are taken make addresses that can be asked, and that what is wrong is told in one line.
func FuzzValidate(f *testing.F) {
	with := func(more string) string {
		return `{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com"` + more + `}`
	}
	for _, text := range []string{
		with(``), with(`,"factoryUrl":"https://host?"`), with(`,"factoryUrl":"https://host#"`), with(`,"factoryUrl":"https://:443"`),
		with(`,"factoryUrl":"http://[::1]:8081/"`), with(`,"factoryUrl":"https://host//"`), with(`,"zones":["ap-northeast-2a","ap-northeast-2\nb"]`), with(`,"zones":["x\u001b[31m",""]`), with(`,"endpointZones":["a\nb"]`),
		with(`,"concurrency":{"a\nb":1,"stock":9223372036854775807}`), with(`,"database":{"storageGiB":9223372036854775807,"maxStorageGiB":1}`), with(`,"database":{"instanceClass":"a\nb"}`), with(`,"alarmEmail":"A <a@example.com>"`),
		with(`,"alarmEmail":"a@example.com\n"`), with(`,"corsOrigins":["*","https://a.example?"]`), with(`,"domain":{"name":"shop.example.com\n","certificateArn":"arn:aws:acm:ap-northeast-2:1:certificate/x"}`),
		with(`,"throttling":{"ratePerSecond":1e308,"burst":-1}`), `{}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := DefaultSettings()
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return // the settings' decoder tells of it
		}
		s.complete()
		if err := s.validate("ap-northeast-2"); err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
				t.Errorf("%s: the error is %q", text, err)
			}
			return
		}
		asked, err := url.Parse(strings.TrimSuffix(s.FactoryURL, "/") + "/api/manufactures") // as the factory's client does
		if err != nil || asked.Hostname() == "" || asked.Path != "/api/manufactures" || asked.RawQuery != "" || asked.Fragment != "" {
			t.Errorf("%s: the factory would be asked at %v, %v", text, asked, err)
		}
		for _, zone := range s.Zones {
			if strings.ContainsFunc(zone, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%s: there is no zone %q", text, zone)
			}
		}
		for _, origin := range s.CORSOrigins {
			// A browser's Origin is a scheme, a host and a port: https://www.rfc-editor.org/rfc/rfc6454#section-6.1
			if u, err := url.Parse(origin); origin != "*" && (err != nil || origin != u.Scheme+"://"+u.Host) {
				t.Errorf("%s: no browser is of the origin %q", text, origin)
			}
		}
		if address, err := mail.ParseAddress(s.AlarmEmail); s.AlarmEmail != "" && (err != nil || address.Address != s.AlarmEmail) {
			t.Errorf("%s: SNS sends to no %q", text, s.AlarmEmail)
		}
		if s.Database.StorageGiB < 20 || s.Database.MaxStorageGiB != 0 && s.Database.MaxStorageGiB <= s.Database.StorageGiB {
			t.Errorf("%s: the database's storage is %+v", text, s.Database)
		}
	})
}
