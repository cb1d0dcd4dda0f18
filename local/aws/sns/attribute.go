package sns

import (
	"regexp"
	"strings"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

var (
	notInAttributeName = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
	attributeNumber    = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
)

// validateAttribute checks a message attribute. within is where its message is in the request.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
func validateAttribute(within, name string, a sqs.MessageAttribute) error {
	base, label, labelled := strings.Cut(a.DataType, ".")
	lower := strings.ToLower(name)
	invalid := func(format string, args ...any) error {
		return awsapi.Errorf("ParameterValueInvalid", format, args...)
	}
	switch {
	case a.DataType == "":
		return awsapi.Errorf("ValidationError", "1 validation error detected: Value null at "+
			"'%smessageAttributes.%s.member.dataType' failed to satisfy constraint: Member must not be null",
			within, name)
	case len(name) > 256:
		return invalid("Length of message attribute name must be less than 256 bytes.")
	case notInAttributeName.MatchString(name):
		return invalid("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
			"Can only include alphanumeric characters, hyphens, underscores, or dots.",
			[]rune(notInAttributeName.FindString(name))[0])
	case strings.HasPrefix(name, "."):
		return invalid("Invalid message attribute name starting with character '.' was found.")
	case strings.HasSuffix(name, "."):
		return invalid("Invalid message attribute name ending with character '.' was found.")
	case strings.Contains(name, ".."):
		return invalid("Message attribute name can not have successive '.' character.")
	case name == "", strings.HasPrefix(lower, "aws."), strings.HasPrefix(lower, "amazon."):
		return invalid("Invalid message attribute name '%s': it must not be empty or begin with AWS. or Amazon.", name)
	case base != "String" && base != "Number" && base != "Binary", labelled && label == "":
		return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type "+
			"prefixes is Binary, Number, and String.", name)
	}
	field, has, hasOther := "String", a.StringValue != "", len(a.BinaryValue) > 0
	if base == "Binary" {
		field, has, hasOther = "Binary", hasOther, has
	}
	switch {
	case hasOther:
		return invalid("The message attribute '%s' with type '%s' must use field '%s'.", name, a.DataType, field)
	case !has:
		return invalid("The message attribute '%s' must contain non-empty message attribute value for message "+
			"attribute type '%s'.", name, a.DataType)
	case base == "Number" && !attributeNumber.MatchString(a.StringValue):
		return invalid("Could not cast message attribute '%s' value to number.", name)
	}
	return nil
}
