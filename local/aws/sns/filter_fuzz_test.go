package sns

import (
	"fmt"
	"strings"
	"testing"

	"restock/local/aws/sqs"
)

// manyCombinations returns a policy with 2^65 combinations, which overflow an int.
func manyCombinations() string {
	const keys, depth, conditions = 5, 64, 128
	key := strings.Repeat(`{"x":`, depth-1) + "[1" + strings.Repeat(",1", conditions-1) + "]" +
		strings.Repeat("}", depth-1)
	var policy []string
	for i := range keys {
		policy = append(policy, fmt.Sprintf(`"%d":%s`, i, key))
	}
	return "{" + strings.Join(policy, ",") + "}"
}

// FuzzFilterPolicy checks that an accepted policy is within SNS's limits, and that it decides the
// same after it is rewritten without its ineffective parts.
func FuzzFilterPolicy(f *testing.F) {
	for _, seed := range []struct{ policy, dataType, value, body string }{
		{`{"sku":["CP-502101",{"prefix":"CP-"},{"anything-but":["x",5]}]}`, "String", "CP-502101", `{"sku":"x"}`},
		{`{"sku":[{"numeric":[">=",0,"<",100]},null,true]}`, "Number", "5", `{"sku":[1,[2,{"a":3}]]}`},
		{`{"sku":[{"exists":false}]}`, "String.Array", `["a",5,null,{"b":[]}]`, `{}`},
		{`{"sku":[{"cidr":"10.0.0.0/8"},{"equals-ignore-case":"ß"}]}`, "String", "10.1.2.3", `{"sku":"ẞ"}`},
		{`{"a":{"b":{"c":[1]}},"sku":["x"]}`, "String", "x", `{"a":[{"b":[{"c":1}]}],"sku":"x"}`},
		{`{"sku":[{"anything-but":{"prefix":"a"}}]}`, "Binary", "a", `{"sku":null}`},
		{`{"sku":[1],"sku":["a"]}`, "Number", "1e400", `[]`},
		{`{"$or":[]}`, "String", "", ``},
		{`{"$or":[{"sku":["x"]},{"a.b":[1],"a":{"b":[2]}}]}`, "String", "x", `{"a":[{"b":2},{"b":1}]}`},
		{`null`, "", "", ``},
	} {
		f.Add(seed.policy, seed.dataType, seed.value, seed.body)
	}
	f.Add(manyCombinations(), "String", "x", "{}")
	f.Fuzz(func(t *testing.T, policy, dataType, value, body string) {
		attributes := map[string]sqs.MessageAttribute{"sku": {DataType: dataType, StringValue: value}}
		for _, scope := range []FilterPolicyScope{MessageAttributes, MessageBody} {
			first, err := parseFilter(policy, scope)
			if err != nil {
				continue
			}
			root, source, err := parseJSON(policy)
			if err != nil {
				t.Fatalf("%q is taken: %v", policy, err)
			}
			if keys := countKeys(root); keys > maxFilterKeys || first.combinations() > maxFilterCombinations {
				t.Errorf("%s: %.300q is taken, with %d keys, and too many combinations", scope, policy, keys)
			}
			second, err := parseFilter(source, scope)
			if err != nil {
				t.Fatalf("%s: %q is taken, and not as %s: %v", scope, policy, source, err)
			}
			if first.matchesAttributes(attributes) != second.matchesAttributes(attributes) ||
				first.matchesBody(body) != second.matchesBody(body) {
				t.Errorf("%s: %q and %s decide differently about %q of type %q, or %q",
					scope, policy, source, value, dataType, body)
			}
		}
	})
}
