package events

import "log/slog"

// A Kind says what happened. Readers of the log compare kinds and never the text of a message,
// which may be reworded at any time. A kind is the attribute Key of the record itself, not one of
// its logger.
type Kind string

// Key is the attribute that holds an event's kind. A function's line of JSON has a field of this
// name.
const Key = "event"

// Attr is the attribute of a record of the kind: log.Info("message published",
// events.MessagePublished.Attr()).
func (k Kind) Attr() slog.Attr { return slog.String(Key, string(k)) }

// KindOf returns the kind of a record, or "" where no reader needs to recognise it.
func KindOf(r slog.Record) (k Kind) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == Key {
			k = Kind(a.Value.String())
		}
		return k == ""
	})
	return k
}

// The HTTP API.
const (
	// APIRequest is a request that the HTTP API has answered.
	APIRequest Kind = "api_request"
	// AccessLogged is the line of the access log about the same request.
	AccessLogged Kind = "access_logged"
)

// Lambda.
const (
	// InstanceStarted says that a process of a function has asked for its first event.
	InstanceStarted Kind = "instance_started"
	// FunctionLine is a line that a function wrote. Its message is the line: see ReadLine.
	FunctionLine Kind = "function_line"
	// InvocationEnded is the report of an invocation.
	InvocationEnded Kind = "invocation_ended"
)

// SNS.
const (
	// MessagePublished says that a topic has accepted a message.
	MessagePublished Kind = "message_published"
	// MessageDelivered says that a topic has sent a message to a subscribed queue.
	MessageDelivered Kind = "message_delivered"
	// MessageLost says that a topic could not deliver a message, and dropped it.
	MessageLost Kind = "message_lost"
	// MessageSetAside says that a topic could not deliver a message, and sent it to the
	// subscription's dead-letter queue.
	MessageSetAside Kind = "message_set_aside"
)

// SQS.
const (
	// MessageSent says that a queue has accepted a message.
	MessageSent Kind = "message_sent"
	// MessageDeadLettered says that a queue has moved a message, received too often, to its
	// dead-letter queue.
	MessageDeadLettered Kind = "message_dead_lettered"
	// MessageRedriven says that a message was moved out of a dead-letter queue.
	MessageRedriven Kind = "message_redriven"
)

// Event source mappings, from a queue to a function.
const (
	// BatchProcessed says that a function has processed messages, some of which it may report as
	// failed.
	BatchProcessed Kind = "batch_processed"
	// BatchFailed says that an invocation with messages has failed.
	BatchFailed Kind = "batch_failed"
	// MessageFailed is a message that the function reports as failed.
	MessageFailed Kind = "message_failed"
	// FunctionThrottled says that no instance of the function was free for a batch.
	FunctionThrottled Kind = "function_throttled"
)

// The scheduler.
const (
	// ScheduledInvocationDone says that a schedule's function has handled its event.
	ScheduledInvocationDone Kind = "scheduled_invocation_done"
	// ScheduledInvocationFailed says that it has not. Lambda may try again.
	ScheduledInvocationFailed Kind = "scheduled_invocation_failed"
)

// The API of AWS.
const (
	// AWSCallAnswered is a call that succeeded.
	AWSCallAnswered Kind = "aws_call_answered"
	// AWSCallFailed is a call that did not: it was refused, its caller left, or the local run
	// failed.
	AWSCallFailed Kind = "aws_call_failed"
)

// Permissions and the network.
const (
	// AccessDenied says that the policies do not allow what a function or a service of AWS tried.
	AccessDenied Kind = "access_denied"
	// NetworkBlocked says that the declared network has no way for a function's call.
	NetworkBlocked Kind = "network_blocked"
)

// Secrets Manager.
const (
	// SecretValuePut says that a secret has a new version.
	SecretValuePut Kind = "secret_value_put"
	// SecretLabelMoved says that a staging label has moved to another version.
	SecretLabelMoved Kind = "secret_label_moved"
	// RotationStarted says that the rotation of a secret begins.
	RotationStarted Kind = "rotation_started"
	// RotationStepDone says that the rotating function has finished one of its four steps.
	RotationStepDone Kind = "rotation_step_done"
)

// The factory's stand-in.
const (
	// FactoryOrderReceived is a request to the factory. Without a lot, the factory makes nothing of
	// it.
	FactoryOrderReceived Kind = "factory_order_received"
	// FactoryStepDone says that a lot has reached its next step.
	FactoryStepDone Kind = "factory_step_done"
	// LotDelivered says that the API has accepted the factory's callback.
	LotDelivered Kind = "lot_delivered"
	// CallbackRefused says that the API has answered the callback with an error.
	CallbackRefused Kind = "callback_refused"
	// CallbackFailed says that the callback did not reach the API, or got no answer.
	CallbackFailed Kind = "callback_failed"
)

// Steps that take a while: see package progress.
const (
	// Building is the build of functions, or of the program.
	Building Kind = "building"
	// DatabaseStarting is the start of the database server.
	DatabaseStarting Kind = "database_starting"
	// FunctionRunning is an invocation that is a part of the deployment.
	FunctionRunning Kind = "function_running"
)

// The run itself.
const (
	// Ready says that everything runs, and where.
	Ready Kind = "ready"
	// FunctionsReplaced says that changed functions were rebuilt and serve from now on.
	FunctionsReplaced Kind = "functions_replaced"
	// UpdateFailed says that changed sources do not build, or that a rule refuses what they
	// declare.
	UpdateFailed Kind = "update_failed"
	// UpdateRecovered says that the sources build again after UpdateFailed.
	UpdateRecovered Kind = "update_recovered"
	// ProgramChanged says that the program declares another stack, and that the run restarts.
	ProgramChanged Kind = "program_changed"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		APIRequest, AccessLogged, InstanceStarted, FunctionLine, InvocationEnded,
		MessagePublished, MessageDelivered, MessageLost, MessageSetAside,
		MessageSent, MessageDeadLettered, MessageRedriven,
		BatchProcessed, BatchFailed, MessageFailed, FunctionThrottled,
		ScheduledInvocationDone, ScheduledInvocationFailed, AWSCallAnswered, AWSCallFailed, AccessDenied,
		NetworkBlocked,
		SecretValuePut, SecretLabelMoved, RotationStarted, RotationStepDone,
		FactoryOrderReceived, FactoryStepDone, LotDelivered, CallbackRefused, CallbackFailed,
		Building, DatabaseStarting, FunctionRunning,
		Ready, FunctionsReplaced, UpdateFailed, UpdateRecovered, ProgramChanged,
	}
}
