package sqs

import (
	"fmt"
	"net/http"

	"restock/local/aws/awsapi"
)

// The API's errors. The codes are those of the JSON protocol. The query codes are the ones that
// SQS's SDKs still report.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html

func newError(code, queryCode, format string, args ...any) *awsapi.Error {
	err := awsapi.Errorf(code, format, args...)
	err.QueryCode = queryCode
	return err
}

func queueDoesNotExist() error {
	err := newError("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
		"The specified queue does not exist.")
	err.QueryMessage = "The specified queue does not exist for this wsdl version."
	return err
}

func missingParameter(name string) error {
	return newError("MissingRequiredParameterException", "MissingParameter",
		"The request must contain the parameter %s.", name)
}

func invalidParameter(format string, args ...any) error {
	return newError("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

func outOfRange(parameter string, value, low, high int) error {
	return invalidParameter("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.",
		value, parameter, low, high)
}

func invalidMessageContents() error {
	return newError("InvalidMessageContents", "",
		"Invalid characters found. Valid characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "+
			"#x10000 to #x10FFFF.")
}

func invalidAttributeName(format string, args ...any) error {
	return newError("InvalidAttributeName", "", format, args...)
}

func unknownAttribute(name string) error { return invalidAttributeName("Unknown Attribute %s.", name) }

func invalidAttributeValue(format string, args ...any) error {
	return newError("InvalidAttributeValue", "", format, args...)
}

func invalidRedrivePolicy(p *RedrivePolicy, format string, args ...any) error {
	return invalidParameter("Value %s for parameter RedrivePolicy is invalid. Reason: %s", marshal(p),
		fmt.Sprintf(format, args...))
}

func queueNameExists(attribute string) error {
	return newError("QueueNameExists", "QueueAlreadyExists",
		"A queue already exists with the same name and a different value for attribute %s", attribute)
}

func queueDeletedRecently() error {
	return newError("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently",
		"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
}

func overLimit(limit int) error {
	err := newError("OverLimit", "OverLimit",
		"%d messages of the queue are in flight: delete those that are processed.", limit)
	err.Status = http.StatusForbidden
	return err
}

func resourceNotFound(format string, args ...any) error {
	err := newError("ResourceNotFoundException", "", format, args...)
	err.Status = http.StatusNotFound
	return err
}

func sourceDoesNotExist() error {
	return resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
}

func receiptHandleIsInvalid(handle string) error {
	return newError("ReceiptHandleIsInvalid", "",
		"The input receipt handle \"%s\" is not a valid receipt handle of this queue.", handle)
}

func messageNotInflight(id string) error {
	return newError("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight",
		"The message %s is not in flight with this receipt handle: it was received again.", id)
}

func receiptHandleExpired(handle string) error {
	return invalidParameter("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
		handle)
}

func noDeduplicationID() error {
	return invalidParameter("The queue should either have ContentBasedDeduplication enabled or " +
		"MessageDeduplicationId provided explicitly")
}

func wrongQueueType(parameter, value string) error {
	return invalidParameter("Value %s for parameter %s is invalid. Reason: The request include parameter that is not "+
		"valid for this queue type.", value, parameter)
}

func invalidMessageID(parameter, value string) error {
	return invalidParameter("Value %s for parameter %s is invalid. Reason: %s can only include alphanumeric and "+
		"punctuation characters. 1 to 128 in length.", value, parameter, parameter)
}

func purgeInProgress(queue string) error {
	err := newError("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress",
		"Only one PurgeQueue operation on %s is allowed every 60 seconds.", queue)
	err.Status = http.StatusForbidden
	return err
}

func emptyBatch() error {
	return newError("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest",
		"There should be at least one entry in the request.")
}

func tooManyEntries(n int) error {
	return newError("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
		"Maximum number of entries per request are %d. You have sent %d.", maxBatch, n)
}

func entryIDNotDistinct(id string) error {
	return newError("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
		"Id %s repeated.", id)
}

func invalidEntryID() error {
	return newError("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId",
		"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "+
			"letters long.")
}

func batchTooLong(size int) error {
	return newError("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
		"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBatchSize, size)
}
