package mariadb

import (
	"crypto/sha1" // #nosec G505 -- see nativeHash
	"encoding/hex"
	"strings"
)

// nativeHash is what the server stores for a password of the plugin mysql_native_password:
// SHA-1 twice. It is no protection for weak passwords; ours has 128 random bits.
// https://mariadb.com/docs/server/reference/plugins/authentication-plugins/authentication-plugin-mysql_native_password
func nativeHash(password string) string {
	once := sha1.Sum([]byte(password)) // #nosec G401 -- so the server keeps it
	twice := sha1.Sum(once[:])         // #nosec G401 -- likewise
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}
