package sqs

import (
	"context"
	"errors"

	"restock/local/aws/awsapi"
)

// maxBatchSize limits the total size of a batch's messages, in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const maxBatchSize = 1 << 20

// batchOutput lists the entries that succeeded and the entries that failed.
type batchOutput[T any] struct {
	Successful []T
	Failed     []batchError
}

type batchError struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// entryID identifies an entry within its batch.
type entryID struct {
	ID string `json:"Id"`
}

func (e entryID) id() string { return e.ID }

// batch checks the rules for the batch as a whole, then processes each entry.
func batch[E interface{ id() string }, T any](entries []E, do func(E) (T, error)) (batchOutput[T], error) {
	out := batchOutput[T]{Successful: []T{}, Failed: []batchError{}}
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
			return out, invalidEntryID(e.id())
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
			out.Failed = append(out.Failed, batchError{
				ID: e.id(), SenderFault: true, Code: refused.Code, Message: refused.Message,
			})
		default:
			return out, err
		}
	}
	return out, nil
}

type sendMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []sendMessageBatchEntry
}

type sendMessageBatchEntry struct {
	entryID
	outgoingMessage
}

type sendMessageBatchDone struct {
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
	return batch(in.Entries, func(e sendMessageBatchEntry) (sendMessageBatchDone, error) {
		sent, err := q.send(ctx, e.outgoingMessage)
		return sendMessageBatchDone{e.entryID, sent}, err
	})
}

type deleteMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []deleteMessageBatchEntry
}

type deleteMessageBatchEntry struct {
	entryID
	ReceiptHandle string
}

func (s *Service) deleteMessageBatch(_ context.Context, in deleteMessageBatchInput) (batchOutput[entryID], error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return batchOutput[entryID]{}, err
	}
	return batch(in.Entries, func(e deleteMessageBatchEntry) (entryID, error) {
		return e.entryID, q.Delete(e.ReceiptHandle)
	})
}

type changeMessageVisibilityBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []changeMessageVisibilityBatchEntry
}

type changeMessageVisibilityBatchEntry struct {
	entryID
	visibilityChange
}

func (s *Service) changeMessageVisibilityBatch(_ context.Context,
	in changeMessageVisibilityBatchInput) (batchOutput[entryID], error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return batchOutput[entryID]{}, err
	}
	return batch(in.Entries, func(e changeMessageVisibilityBatchEntry) (entryID, error) {
		return e.entryID, q.changeVisibility(e.visibilityChange)
	})
}
