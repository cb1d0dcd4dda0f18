package secretsmanager

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
)

type getRandomPasswordInput struct {
	PasswordLength          *int
	ExcludeCharacters       string
	ExcludeLowercase        bool
	ExcludeUppercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

type getRandomPasswordOutput struct {
	RandomPassword string
}

const (
	defaultPasswordLength = 32
	maxPasswordLength     = 4096
)

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
func getRandomPassword(_ context.Context, in getRandomPasswordInput) (getRandomPasswordOutput, error) {
	length := defaultPasswordLength
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	types := in.characterTypes()
	requireEach := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	switch {
	case length < 1 || length > maxPasswordLength:
		return getRandomPasswordOutput{}, invalidParameter("PasswordLength must be 1 to %d.", maxPasswordLength)
	case len(types) == 0:
		return getRandomPasswordOutput{}, invalidParameter("The request excludes every character.")
	case requireEach && length < len(types):
		return getRandomPasswordOutput{},
			invalidParameter("A password of %d characters can't have each of the %d included types.",
				length, len(types))
	}
	password, err := randomPassword(length, types, requireEach)
	if err != nil {
		return getRandomPasswordOutput{}, err
	}
	return getRandomPasswordOutput{RandomPassword: password}, nil
}

// characterTypes returns the allowed characters by type. It omits types without allowed characters.
func (in getRandomPasswordInput) characterTypes() []string {
	var types []string
	for _, t := range []struct {
		excluded   bool
		characters string
	}{
		{in.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz"},
		{in.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{in.ExcludeNumbers, "0123456789"},
		{in.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
		{!in.IncludeSpace, " "},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, t.characters)
		if !t.excluded && left != "" {
			types = append(types, left)
		}
	}
	return types
}

// randomPassword draws passwords until one contains each type, if that is required. So all
// passwords that satisfy the requirement are equally likely.
func randomPassword(length int, types []string, requireEach bool) (string, error) {
	alphabet := strings.Join(types, "")
	for {
		password := make([]byte, length)
		for i := range password {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
			if err != nil {
				return "", fmt.Errorf("drawing a random password: %w", err)
			}
			password[i] = alphabet[n.Int64()]
		}
		if !requireEach || hasEach(string(password), types) {
			return string(password), nil
		}
	}
}

func hasEach(password string, types []string) bool {
	for _, characters := range types {
		if !strings.ContainsAny(password, characters) {
			return false
		}
	}
	return true
}
