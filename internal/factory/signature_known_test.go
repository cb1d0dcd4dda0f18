package factory_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/shop"
)

// A signature that OpenSSL and Python computed, with the key 00 01 … 1f. The file M holds the
// order's 16 bytes, the attempt's 16 bytes, the quantity as 8 bytes (the most significant first),
// and the text of the parameter correlation:
//
//	key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
//	openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary M | base64 | tr +/ -_ | tr -d =
type knownSignature struct {
	quantity    int
	correlation string // of the attempt
	signature   string
	query       string // of the callback's URL
}

// known are of the URLs that CallbackURL writes. The text of correlation is the result of
//
//	printf %s JKJaXmPLvHcESHA= | base64 | tr +/ -_ | tr -d =
var known = []knownSignature{
	{100, "JKJaXmPLvHcESHA=", "z1058EZvpLCa_yNXIy4yXF-HJdlW24kcO5bD209ZLiQ",
		"correlation=SktKYVhtUEx2SGNFU0hBPQ&quantity=100&signature=z1058EZvpLCa_yNXIy4yXF-HJdlW24kcO5bD209ZLiQ"},
	{7, "0190d6a8-f000-7000-8000-0000000000a1", "XXDFst_gr2IkCT6WAiEf-sqXq-h_5_7UZYaXjDH_Isw",
		"correlation=MDE5MGQ2YTgtZjAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMGEx&quantity=7" +
			"&signature=XXDFst_gr2IkCT6WAiEf-sqXq-h_5_7UZYaXjDH_Isw"},
}

// earlier are of URLs that an earlier version wrote. It wrote the correlation as it is, and no
// correlation if there was none. The factory may still have such URLs.
var earlier = []knownSignature{
	{100, "JKJaXmPLvHcESHA=", "7OHFVAi76YuYY0IpKGvVDPa7pSMN4U0eef1-H8eigvo",
		"correlation=JKJaXmPLvHcESHA%3D&quantity=100&signature=7OHFVAi76YuYY0IpKGvVDPa7pSMN4U0eef1-H8eigvo"},
	{7, "", "K5E0_QUCMgMtVDoNB3b2z6Fo3RfyuLcuLVV34mJtszQ",
		"quantity=7&signature=K5E0_QUCMgMtVDoNB3b2z6Fo3RfyuLcuLVV34mJtszQ"},
}

var (
	knownOrder   = uuid.MustParse("0190d6a8-f000-7000-8000-000000000001")
	knownAttempt = uuid.MustParse("0190d6a8-f000-7000-8000-0000000000a1")
)

func knownSigner(t *testing.T) factory.Signer {
	t.Helper()
	key, err := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := factory.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestSignatureIsTheHMACThatOpenSSLComputes(t *testing.T) {
	for _, k := range known {
		want := "https://shop.example/production-orders/0190d6a8-f000-7000-8000-000000000001/attempts/" +
			"0190d6a8-f000-7000-8000-0000000000a1/receipt?" + k.query
		if got := string(knownSigner(t).CallbackURL("https://shop.example", template, k.attempt())); got != want {
			t.Errorf("the callback URL of %+v is\n%s, want\n%s", k.attempt(), got, want)
		}
		k.verify(t)
	}
}

func TestURLsOfAnEarlierVersionAreAccepted(t *testing.T) {
	for _, k := range earlier {
		k.verify(t)
	}
}

func (k knownSignature) attempt() factory.Attempt {
	return factory.Attempt{
		ProductionOrderID: knownOrder, ID: knownAttempt, Quantity: k.quantity, Correlation: k.correlation,
	}
}

func (k knownSignature) verify(t *testing.T) {
	t.Helper()
	query, err := url.ParseQuery(k.query)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := knownSigner(t).Verify(knownOrder, knownAttempt, query); err != nil || got != k.attempt() {
		t.Errorf("?%s: got %+v, %v; want %+v", k.query, got, err, k.attempt())
	}
}

func TestOnlyTheExactTextOfASignatureIsAccepted(t *testing.T) {
	signer := knownSigner(t)
	for _, k := range slices.Concat(known, earlier) {
		raw, err := base64.RawURLEncoding.DecodeString(k.signature)
		if err != nil {
			t.Fatal(err)
		}
		refused := map[string]string{
			"empty":                 "",
			"twice":                 k.signature + k.signature,
			"a letter longer":       k.signature + "A",
			"a byte longer":         base64.RawURLEncoding.EncodeToString(append(raw[:len(raw):len(raw)], 0)),
			"padded":                k.signature + "=",
			"the standard alphabet": base64.RawStdEncoding.EncodeToString(raw),
			"standard and padded":   base64.StdEncoding.EncodeToString(raw),
			"hexadecimal":           hex.EncodeToString(raw),
			"raw bytes":             string(raw),
			"upper case":            strings.ToUpper(k.signature),
			"lower case":            strings.ToLower(k.signature),
			"a space before":        " " + k.signature,
			"a line break behind":   k.signature + "\n",
		}
		for n := range raw {
			refused["the first bytes: "+hex.EncodeToString(raw[:n])] = base64.RawURLEncoding.EncodeToString(raw[:n])
		}
		for i, letter := range k.signature {
			refused["cut: "+k.signature[:i]] = k.signature[:i]
			other := strings.ToUpper(string(letter))
			if other == string(letter) {
				other = strings.ToLower(other)
			}
			if other != string(letter) {
				refused["another case: "+k.signature[:i]+other] = k.signature[:i] + other + k.signature[i+1:]
			}
		}
		// The last letter has two unused bits. A decoder that is not strict ignores them.
		last := k.signature[len(k.signature)-1]
		for _, letter := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
			if letter != last {
				refused["another last letter: "+string(letter)] = k.signature[:len(k.signature)-1] + string(letter)
			}
		}
		for name, signature := range refused {
			if signature == k.signature {
				continue // both alphabets encode this signature alike
			}
			query, err := url.ParseQuery(k.query)
			if err != nil {
				t.Fatal(err)
			}
			query.Set("signature", signature)
			got, err := signer.Verify(knownOrder, knownAttempt, query)
			if shop.CodeOf(err) != shop.CodeInvalidSignature || got != (factory.Attempt{}) {
				t.Errorf("%s: %q: got %+v, %v; want it refused", name, signature, got, err)
			}
		}
	}
}
