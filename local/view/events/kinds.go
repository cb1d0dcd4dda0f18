package events

import "log/slog"

// A Kind says what happened. A program that reads the log compares kinds, never the text of a
// message, because the text may change at any time. The kind must be an attribute of the record
// itself, as in the example of [Kind.Attr]. Readers ignore a kind that was added with Logger.With.
type Kind string

// Key is the attribute that holds an event's kind. The JSON lines of the functions, and those that
// the local run prints with the flag -json, have a field of this name.
const Key = "event"

// Attr returns the attribute that gives a record its kind. Example:
//
//	log.Info("message published", events.MessagePublished.Attr())
func (k Kind) Attr() slog.Attr { return slog.String(Key, string(k)) }

// KindOf returns the kind of a record, or "" if it has none.
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
	// AccessLogged is the line of the access log about a request. Each APIRequest has one if the
	// API's stage has an access log.
	AccessLogged Kind = "access_logged"
)

// Lambda.
const (
	// InstanceStarted says that a new process of a function is ready: it has asked Lambda's Runtime
	// API for its first event.
	InstanceStarted Kind = "instance_started"
	// FunctionLine is a line that a function wrote. Its message is the line: see ReadLine.
	FunctionLine Kind = "function_line"
	// InvocationEnded is the report of an invocation.
	InvocationEnded Kind = "invocation_ended"
	// SubsegmentRecorded is work that a function has recorded in an invocation, such as an SQL
	// statement.
	SubsegmentRecorded Kind = "subsegment_recorded"
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
	// MessageUnclaimed says that a topic has dropped a message, because no subscription takes it or
	// the topic has no subscription.
	MessageUnclaimed Kind = "message_unclaimed"
	// FilterMismatched says that the filter of a subscription asks for what the published messages
	// do not have: an attribute that they lack, or a value of another type.
	FilterMismatched Kind = "filter_mismatched"
)

// SQS.
const (
	// MessageSent says that a queue has accepted a message.
	MessageSent Kind = "message_sent"
	// MessageDeadLettered says that a queue has moved a message to its dead-letter queue, because
	// consumers had received the message maxReceiveCount times.
	MessageDeadLettered Kind = "message_dead_lettered"
	// MessageRedriven says that a redrive has moved a message out of a dead-letter queue.
	MessageRedriven Kind = "message_redriven"
)

// Event source mappings, from a queue to a function.
const (
	// BatchProcessed says that an invocation with messages has succeeded. The function may have
	// reported some of them as failed.
	BatchProcessed Kind = "batch_processed"
	// BatchFailed says that an invocation with messages has failed.
	BatchFailed Kind = "batch_failed"
	// MessageFailed says that the function has reported a message as failed.
	MessageFailed Kind = "message_failed"
	// FunctionThrottled says that no instance of the function was free for a batch.
	FunctionThrottled Kind = "function_throttled"
)

// The scheduler.
const (
	// ScheduledInvocationDone says that a schedule's function has handled its event.
	ScheduledInvocationDone Kind = "scheduled_invocation_done"
	// ScheduledInvocationFailed says that a schedule's function has failed. Lambda may retry the
	// event.
	ScheduledInvocationFailed Kind = "scheduled_invocation_failed"
)

// The API of AWS.
const (
	// AWSCallAnswered says that a call of the API has succeeded.
	AWSCallAnswered Kind = "aws_call_answered"
	// AWSCallFailed says that a call of the API has failed: the API refused it, the caller closed
	// the connection, or the local run has a bug.
	AWSCallFailed Kind = "aws_call_failed"
)

// Permissions and the network.
const (
	// AccessDenied says that a policy has denied the call of a function or of an AWS service.
	AccessDenied Kind = "access_denied"
	// NetworkBlocked says that the declared network has no route for a function's call.
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
	// FactoryOrderReceived is a request to the factory. The attribute "lot" is the lot that the
	// factory makes for it. It is missing if the factory makes none.
	FactoryOrderReceived Kind = "factory_order_received"
	// FactoryStepDone says that a lot has reached its next step.
	FactoryStepDone Kind = "factory_step_done"
	// LotDelivered says that the API has accepted the factory's callback.
	LotDelivered Kind = "lot_delivered"
	// CallbackRefused says that the API has answered the factory's callback with an error.
	CallbackRefused Kind = "callback_refused"
	// CallbackFailed says that the factory's callback did not reach the API, or got no answer.
	CallbackFailed Kind = "callback_failed"
)

// Steps that take a while: see package progress.
const (
	// Building is the build of functions or of the Pulumi program.
	Building Kind = "building"
	// DatabaseStarting is the start of the database server.
	DatabaseStarting Kind = "database_starting"
	// EmulatorStarting is the build and the start of the emulator of other services of AWS.
	EmulatorStarting Kind = "emulator_starting"
	// FunctionRunning is an invocation that is a part of the deployment, such as the one that
	// creates the database's tables.
	FunctionRunning Kind = "function_running"
)

// The run itself.
const (
	// Ready says that all parts run. Its attributes are the endpoints.
	Ready Kind = "ready"
	// FunctionsReplaced says that the run has rebuilt changed functions and uses the new builds.
	FunctionsReplaced Kind = "functions_replaced"
	// UpdateFailed says that changed sources do not build, or that they break a rule.
	UpdateFailed Kind = "update_failed"
	// UpdateRecovered says that the sources build again after UpdateFailed.
	UpdateRecovered Kind = "update_recovered"
	// ProgramChanged says that the program declares a different stack, and that the run restarts.
	ProgramChanged Kind = "program_changed"
)
