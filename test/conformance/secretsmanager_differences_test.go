package conformance

var secretsManagerDifferences = map[string]difference{
	"TestSecretValues/a request without a value, or with a text and bytes, is refused":      "a version may have both, or neither",
	"TestSecretValues/a value may have 65,536 bytes and no more":                            "a value may have any size",
	"TestSecretValues/UpdateSecret with a version's token is refused, whatever the value":   "the same value is accepted, as by PutSecretValue",
	"TestSecretVersions/AWSCURRENT moves back to the previous version":                      "GetSecretValue goes on to answer with the version that was AWSCURRENT",
	"TestSecretVersions/AWSCURRENT cannot be removed":                                       "it can",
	"TestSecretVersions/a label that is attached does not move unless its version is named": "only AWSCURRENT is looked after: another label is then on two versions",
	"TestSecretVersions/versions without labels are not described":                          "they are, with an empty list",
	"TestSecretVersions/versions without labels are listed when asked for":                  "they always are, and the ARN is the name",
	"TestSecretVersions/versions are listed in pages":                                       "MaxResults is ignored",
	"TestSecretVersions/the versions of a secret that is not there are not found":           "the server fails with a page of HTML",
	"TestSecrets/a name has letters, digits and /_+=.@- alone":                              "a name may have any characters",
	"TestSecrets/DescribeSecret has the day of the last read":                               "reads are not noted",
	"TestSecrets/a secret that is marked for deletion cannot be changed":                    "values can be put",
	"TestSecrets/the name of a secret that is marked for deletion is taken":                 "the error is ResourceExistsException, as for a secret that is not marked",
	"TestRandomPasswords/as long as asked for, up to 4,096":                                 "the error is InvalidParameterValue",
	"TestRandomPasswords/too short for each type is refused, unless they are not required":  "fewer than four characters are refused whatever is required",
	"TestSecretRotation/a secret without a rotation function is not rotated":                "it is: the pending version becomes AWSCURRENT without a value",
	"TestSecretRotation/rules that Secrets Manager does not have are refused":               "of the rules AutomaticallyAfterDays alone is looked at",
}
