package console

import "testing"

func TestHiderLeavesOutSignaturesCredentialsAndSecrets(t *testing.T) {
	t.Parallel()
	h := newHider([]string{"pass\"word1", "key+value/2"})
	for _, c := range []struct{ name, text, want string }{
		{"a secret in a text", "login with pass\"word1", "login with (hidden)"},
		{"a secret in JSON", `{"a":["pass\"word1",1]}`, `{"a":["(hidden)",1]}`},
		{"JSON in a text of JSON", `{"body":"{\"a\":\"key+value/2\"}"}`, `{"body":"{\"a\":\"(hidden)\"}"}`},
		{"the query of a URL", `go to https://shop/c?order=1&signature=Ab_9`, "go to https://shop/c?…"},
		{"a raw query", `{"rawQueryString":"a=1&signature=Ab_9"}`, `{"rawQueryString":"a=1&signature=(hidden)"}`},
		{"a query in a query", `next=%3Fsignature%3DAb-9&b=1`, `next=%3Fsignature%3D(hidden)&b=1`},
		{
			"a header of AWS's signature",
			`{"headers":{"Authorization":"AWS4-HMAC-SHA256 Signature=ab","host":"shop"}}`,
			`{"headers":{"Authorization":"(hidden)","host":"shop"}}`,
		},
		{
			"an attribute of a message", `{"messageAttributes":{"signature":{"stringValue":"Ab"},"order":{}}}`,
			`{"messageAttributes":{"signature":"(hidden)","order":{}}}`,
		},
		{"cookies", `{"cookies":["a=b"],"version":"2.0"}`, `{"cookies":"(hidden)","version":"2.0"}`},
		{"a secret in base64", `{"body":"a2V5K3ZhbHVlLzI="}`, `{"body":"(hidden)"}`},
		{"a harmless base64", `{"body":"aGVsbG8="}`, `{"body":"aGVsbG8="}`},
		{"the order and the numbers", `{"b":12345678901234567890,"a":null,"c":[true,{}]}`,
			`{"b":12345678901234567890,"a":null,"c":[true,{}]}`},
		{"two documents", `{"signature":"a"} signature=b`, `{"signature":"a"} signature=(hidden)`},
		{"a broken document", `{"signature": signature=b`, `{"signature": signature=(hidden)`},
	} {
		if got := h.in(c.text); got != c.want {
			t.Errorf("%s: %s: got %s, want %s", c.name, c.text, got, c.want)
		}
	}
}
