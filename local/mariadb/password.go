package mariadb

import (
	"crypto/sha1" // #nosec G505 -- see nativeHash
	"encoding/hex"
	"strings"
)

// nativeHash returns the hash that the server stores for a password of the plugin
// mysql_native_password: SHA-1 applied twice. This does not protect weak passwords, but this
// package's passwords have 128 random bits.
// https://mariadb.com/docs/server/reference/plugins/authentication-plugins/authentication-plugin-mysql_native_password
func nativeHash(password string) string {
	once := sha1.Sum([]byte(password)) // #nosec G401 -- the server requires it
	twice := sha1.Sum(once[:])         // #nosec G401 -- the server requires it
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}
