package secrets_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
)

// printed prints a value in every way in which a log or an error may print it: the value itself, a
// pointer to it, and values that contain it.
func printed(value, pointer any) string {
	var out bytes.Buffer
	for _, v := range []any{value, pointer, []any{value}, map[string]any{"x": value}, struct{ X any }{value}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3v"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, fmt.Errorf("failed: %v", v))
		group := slog.Group("group", "value", v)
		slog.New(slog.NewTextHandler(&out, nil)).With("with", v).Info("line", "value", v, group)
		slog.New(slog.NewJSONHandler(&out, nil)).With("with", v).Info("line", "value", v, group)
		text, err := json.Marshal(v)
		fmt.Fprintln(&out, string(text), err)
	}
	return out.String()
}

func TestNoWayToPrintShowsASecret(t *testing.T) {
	const password = "hunter2-correct-horse"
	key := []byte("a key that signs all callbacks!!")
	login, callbackKey := secrets.Login{Username: "shop", Password: password}, secrets.CallbackKey{Key: key}
	for name, text := range map[string]string{
		"Login": printed(login, &login), "CallbackKey": printed(callbackKey, &callbackKey),
	} {
		for _, secret := range []string{
			password, hex.EncodeToString([]byte(password)), strings.ToUpper(hex.EncodeToString([]byte(password))),
			string(key), hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)),
			base64.StdEncoding.EncodeToString(key),
			strings.Trim(fmt.Sprint(key), "[]"), strings.Trim(fmt.Sprintf("%#v", key), "[]byte{}"),
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the output contains %q:\n%s", name, secret, text)
			}
		}
	}
	if text := login.String(); !strings.Contains(text, "shop") {
		t.Errorf("got %q, want the user's name in it", text)
	}
}

func TestSecretsManagerGetsTheValue(t *testing.T) {
	var v secretstest.Vault
	login, key := secrets.New[secrets.Login](&v, "login"), secrets.New[secrets.CallbackKey](&v, "key")
	if err := login.Put(t.Context(), secrets.Login{Username: "shop", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	if err := key.Put(t.Context(), secrets.CallbackKey{Key: []byte{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"login": `{"username":"shop","password":"p"}`, "key": `{"key":"AQID"}`} {
		if got := v.Value(name); got != want {
			t.Errorf("the secret %s is %s, want %s", name, got, want)
		}
	}
}
