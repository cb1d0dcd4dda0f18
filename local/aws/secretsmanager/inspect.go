package secretsmanager

import "encoding/json"

// ShortestSecret is the length of the shortest value that Values returns. A shorter one, such as
// "3306", would also be a part of harmless texts.
const ShortestSecret = 8

// notSecret are the fields of a database's secret that everybody may read.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
var notSecret = map[string]bool{
	"engine": true, "host": true, "username": true, "dbname": true, "dbInstanceIdentifier": true,
	"dbClusterIdentifier": true, "masterarn": true,
}

// Values returns the confidential texts in all versions of all secrets. If a value is an object of
// JSON, they are its fields. Secrets Manager has no such operation; Values exists for a program
// that must not show them.
func (s *Service) Values() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []string
	add := func(text string) {
		if len(text) >= ShortestSecret {
			values = append(values, text)
		}
	}
	for _, sec := range s.secrets {
		for _, v := range sec.versions {
			text := string(v.value.bytes)
			if v.value.text != nil {
				text = *v.value.text
			}
			var fields map[string]any
			if json.Unmarshal([]byte(text), &fields) != nil {
				add(text)
				continue
			}
			for name, field := range fields {
				if text, ok := field.(string); ok && !notSecret[name] {
					add(text)
				}
			}
		}
	}
	return values
}
