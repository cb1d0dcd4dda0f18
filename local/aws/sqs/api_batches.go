package sqs

import (
	"context"
	"encoding/xml"
	"errors"
	"strings"

	"restock/local/aws/awsapi"
)

// maxBatchSize limits the total size of a batch's messages, in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const maxBatchSize = 1 << 20

// batchOutput lists the entries that succeeded and the entries that failed.
type batchOutput[T any] struct {
	Successful []T          `json:",omitempty"` // XMLName names these in XML
	Failed     []batchError `json:",omitempty" xml:"BatchResultErrorEntry"`
}

type batchError struct {
	ID          string `json:"Id" xml:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// entryID identifies an entry within its batch.
type entryID struct {
	ID string `json:"Id" xml:"Id"`
}

func (e entryID) id() string { return e.ID }

// batch checks the rules for the batch as a whole, then processes each entry.
func batch[E interface{ id() string }, T any](entries []E, do func(E) (T, error)) (batchOutput[T], error) {
	var out batchOutput[T]
	switch {
	case len(entries) == 0:
		return out, emptyBatch()
	case len(entries) > maxBatch:
		return out, tooManyEntries(len(entries))
	}
	seen := map[string]bool{}
	for _, e := range entries {
		switch {
		case !queueName.MatchString(e.id()): // ids follow the same rule as names
			return out, invalidEntryID()
		case seen[e.id()]:
			return out, entryIDNotDistinct(e.id())
		}
		seen[e.id()] = true
	}
	for _, e := range entries {
		done, err := do(e)
		var refused *awsapi.Error
		switch {
		case err == nil:
			out.Successful = append(out.Successful, done)
		case errors.As(err, &refused):
			// The codes in batches are those of the query protocol, and one text differs from
			// SendMessage's (LocalStack's sqs/test_sqs, test_send_batch_message_size, 2024-04-30).
			message := strings.Replace(refused.Message, "parameters are invalid", "parameters cannot be validated", 1)
			out.Failed = append(out.Failed, batchError{
				ID: e.id(), SenderFault: true, Code: refused.InQuery(), Message: message,
			})
		default:
			return out, err
		}
	}
	return out, nil
}

type sendMessageBatchInput struct {
	queueInput
	Entries []sendMessageBatchEntry `xml:"SendMessageBatchRequestEntry"`
}

type sendMessageBatchEntry struct {
	entryID
	outgoingMessage
}

type sendMessageBatchDone struct {
	XMLName xml.Name `json:"-" xml:"SendMessageBatchResultEntry"`
	entryID
	sendMessageOutput
}

func (s *Service) sendMessageBatch(ctx context.Context,
	in sendMessageBatchInput) (batchOutput[sendMessageBatchDone], error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return batchOutput[sendMessageBatchDone]{}, err
	}
	size := 0
	for _, e := range in.Entries {
		size += SendInput{Body: e.MessageBody, Attributes: e.MessageAttributes}.size()
	}
	if size > maxBatchSize {
		return batchOutput[sendMessageBatchDone]{}, batchTooLong(size)
	}
	for _, e := range in.Entries {
		if err := q.refusesBatchWith(e.outgoingMessage); err != nil {
			return batchOutput[sendMessageBatchDone]{}, err
		}
	}
	return batch(in.Entries, func(e sendMessageBatchEntry) (sendMessageBatchDone, error) {
		sent, err := q.send(ctx, e.outgoingMessage)
		return sendMessageBatchDone{entryID: e.entryID, sendMessageOutput: sent}, err
	})
}

// refusesBatchWith returns the error of a batch for a message that lacks a parameter that a FIFO
// queue requires. The batch as a whole is refused, and with another code than SendMessage
// (LocalStack's sqs/test_sqs, 2024-04-30: test_send_batch_missing_message_group_id_for_fifo_queue).
func (q *Queue) refusesBatchWith(m outgoingMessage) error {
	switch {
	case q.fifo == nil:
		return nil
	case m.MessageGroupID == nil:
		return invalidParameter("The request must contain the parameter MessageGroupId.")
	case m.MessageDeduplicationID == nil && !q.Config().ContentBasedDeduplication:
		return noDeduplicationID()
	default:
		return nil
	}
}

type deleteMessageBatchInput struct {
	queueInput
	Entries []deleteMessageBatchEntry `xml:"DeleteMessageBatchRequestEntry"`
}

type deleteMessageBatchEntry struct {
	entryID
	ReceiptHandle string
}

type deleteMessageBatchDone struct {
	XMLName xml.Name `json:"-" xml:"DeleteMessageBatchResultEntry"`
	entryID
}

func (s *Service) deleteMessageBatch(_ context.Context,
	in deleteMessageBatchInput) (batchOutput[deleteMessageBatchDone], error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return batchOutput[deleteMessageBatchDone]{}, err
	}
	return batch(in.Entries, func(e deleteMessageBatchEntry) (deleteMessageBatchDone, error) {
		return deleteMessageBatchDone{entryID: e.entryID}, q.Delete(e.ReceiptHandle)
	})
}

type changeMessageVisibilityBatchInput struct {
	queueInput
	Entries []changeMessageVisibilityBatchEntry `xml:"ChangeMessageVisibilityBatchRequestEntry"`
}

type changeMessageVisibilityBatchEntry struct {
	entryID
	visibilityChange
}

type changeMessageVisibilityBatchDone struct {
	XMLName xml.Name `json:"-" xml:"ChangeMessageVisibilityBatchResultEntry"`
	entryID
}

func (s *Service) changeMessageVisibilityBatch(_ context.Context,
	in changeMessageVisibilityBatchInput) (batchOutput[changeMessageVisibilityBatchDone], error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return batchOutput[changeMessageVisibilityBatchDone]{}, err
	}
	return batch(in.Entries, func(e changeMessageVisibilityBatchEntry) (changeMessageVisibilityBatchDone, error) {
		return changeMessageVisibilityBatchDone{entryID: e.entryID}, q.changeVisibility(e.visibilityChange)
	})
}
