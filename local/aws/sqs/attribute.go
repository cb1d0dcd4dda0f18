package sqs

import (
	"crypto/md5" // #nosec G501 -- see md5Hex
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MessageAttribute is a typed value beside a message's body.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
type MessageAttribute struct {
	// DataType is String, Number or Binary, with an optional label after a dot.
	DataType    string
	StringValue string `json:",omitempty"` // unless the type is Binary
	BinaryValue []byte `json:",omitempty"` // if the type is Binary
}

// Limits of message attributes: their number, the characters of a type, and the digits of a number.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
const (
	maxMessageAttributes = 10
	maxDataType          = 256
	maxDigits            = 38
)

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

var number = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)

// isNumber reports whether a text is a number in SQS's range and precision.
func isNumber(text string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	digits := strings.Trim(strings.Replace(strings.TrimLeft(mantissa, "+-"), ".", "", 1), "0")
	value, err := strconv.ParseFloat(text, 64)
	size := math.Abs(value)
	return number.MatchString(text) && len(digits) <= maxDigits && err == nil &&
		(value == 0 || size >= 1e-128 && size <= 1e126)
}

// Validate returns an error if SQS or SNS would refuse an attribute with this name and value.
func (a MessageAttribute) Validate(name string) error {
	lower := strings.ToLower(name)
	base, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case len(name) > 256 || !attributeName.MatchString(name) || strings.HasPrefix(lower, "aws.") ||
		strings.HasPrefix(lower, "amazon."):
		return fmt.Errorf("the message attribute name %q is invalid: it must be letters, digits, underscores, "+
			"hyphens and single periods, and not start with AWS. or Amazon", name)
	case base != "String" && base != "Number" && base != "Binary":
		return fmt.Errorf("the message attribute %q has the invalid type %q: it must begin with String, Number or "+
			"Binary", name, a.DataType)
	case len(a.DataType) > maxDataType:
		return fmt.Errorf("the message attribute %q has a type of more than %d characters", name, maxDataType)
	case base == "Binary" && (len(a.BinaryValue) == 0 || a.StringValue != ""),
		base != "Binary" && (a.StringValue == "" || a.BinaryValue != nil):
		return fmt.Errorf("Message (user) attribute '%s' must contain a non-empty value of type '%s'", name, a.DataType)
	case base == "Number" && !isNumber(a.StringValue):
		return fmt.Errorf("the message attribute %q must be a number of at most %d digits, from 10^-128 to 10^126: it "+
			"is %q", name, maxDigits, a.StringValue)
	default:
		return nil
	}
}

// Size returns the number of bytes that the attribute adds to the size of its message.
func (a MessageAttribute) Size(name string) int {
	return len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
}

// MarshalXML writes the value as base64: encoding/xml would write its bytes.
func (a MessageAttribute) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		DataType    string
		StringValue string `xml:",omitempty"`
		BinaryValue string `xml:",omitempty"`
	}{a.DataType, a.StringValue, base64.StdEncoding.EncodeToString(a.BinaryValue)}, start)
}

// md5Hex returns the MD5 digest that the API requires. It detects accidental changes only.
func md5Hex(data []byte) string {
	sum := md5.Sum(data) // #nosec G401 -- the SDKs check no other digest
	return hex.EncodeToString(sum[:])
}

// BodyMD5 returns the hexadecimal MD5 digest with which the SDKs check a body.
func BodyMD5(body string) string { return md5Hex([]byte(body)) }

// AttributesMD5 returns the hexadecimal MD5 digest with which the SDKs check message attributes, or
// "" if there are none. The digest covers the attributes sorted by name. Each contributes its name,
// its type, a byte for the kind of value, and the value, with their lengths.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func AttributesMD5(attributes map[string]MessageAttribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var data []byte
	appendSized := func(value string) {
		data = binary.BigEndian.AppendUint32(data, uint32(len(value)))
		data = append(data, value...)
	}
	const stringKind, binaryKind = 1, 2
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		appendSized(name)
		appendSized(a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			data = append(data, binaryKind)
			appendSized(string(a.BinaryValue))
		} else {
			data = append(data, stringKind)
			appendSized(a.StringValue)
		}
	}
	return md5Hex(data)
}
