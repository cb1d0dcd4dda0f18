package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// A deadLetterPipe has a queue whose messages are all in its dead-letter queue.
type deadLetterPipe struct{ url, arn, deadLetters, deadLettersARN string }

func (r *Recorded) deadLetterPipe(messages int) deadLetterPipe {
	r.Helper()
	var p deadLetterPipe
	p.deadLetters, p.deadLettersARN = r.queue(nil)
	p.url, p.arn = r.deadLetterSource(p.deadLettersARN, messages)
	r.visible(p.deadLetters, messages)
	return p
}

// deadLetterSource creates a queue whose messages are all moved to a dead-letter queue.
func (r *Recorded) deadLetterSource(deadLetters string, messages int) (url, arn string) {
	r.Helper()
	url, arn = r.queue(redrivePolicy(deadLetters, 1))
	for n := range messages {
		r.sendMessage(url, fmt.Sprint("message-", n))
	}
	for range 2 * messages {
		r.receive(url, input{"VisibilityTimeout": 0}).ok()
	}
	return url, arn
}

// startMove starts a task without a fact.
func (r *Recorded) startMove(source, destination string, parameters input) *answer {
	r.Helper()
	in := input{"SourceArn": source}
	if destination != "" {
		in["DestinationArn"] = destination
	}
	for name, value := range parameters {
		in[name] = value
	}
	return r.sqs("StartMessageMoveTask", in)
}

// task returns the latest task of a queue when condition holds.
func (r *Recorded) task(source string, condition func(task map[string]any) bool) (listed *answer) {
	r.Helper()
	r.eventually("the task is as recorded", func() bool {
		listed = r.sqs("ListMessageMoveTasks", input{"SourceArn": source}).ok()
		tasks, _ := listed.members["Results"].([]any)
		return len(tasks) == 1 && condition(tasks[0].(map[string]any))
	})
	return listed
}

func ended(task map[string]any) bool { return task["Status"] != "RUNNING" }

func moved(messages float64) func(task map[string]any) bool {
	return func(task map[string]any) bool { return task["ApproximateNumberOfMessagesMoved"].(float64) >= messages }
}

// oneTask is an answer of ListMessageMoveTasks.
func oneTask(source, status string, moved any, toMove int, others input) exactly {
	task := exactly{"SourceArn": source, "Status": status, "ApproximateNumberOfMessagesMoved": moved,
		"ApproximateNumberOfMessagesToMove": toMove, "StartedTimestamp": number{}}
	for name, value := range others {
		task[name] = value
	}
	return exactly{"Results": []any{task}}
}

// wantHandle checks that a task's handle has its id and its source.
func (r *Recorded) wantHandle(handle, source string) {
	r.Helper()
	text, _ := base64.StdEncoding.DecodeString(handle)
	var content map[string]any
	_ = json.Unmarshal(text, &content)
	want := exactly{"taskId": anyUUID, "sourceArn": source}
	r.fact("sqs", "StartMessageMoveTask", members, "the handle", content, want)
}

func taskHandle(id, source string) input {
	text := fmt.Sprintf(`{"taskId":"%s","sourceArn":"%s"}`, id, source)
	return input{"TaskHandle": base64.StdEncoding.EncodeToString([]byte(text))}
}

func TestRecordedSQSMoveTasks(t *testing.T) {
	const noSource = "The resource that you specified for the SourceArn parameter doesn't exist."
	slow := input{"MaxNumberOfMessagesPerSecond": 1}
	checkRecorded(t, "sqs/test_sqs_move_task", []recording{
		{"test_basic_move_task_workflow", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(2)
			url, arn := r.queue(nil)
			start := r.startMove(p.deadLettersARN, arn, nil).answered(exactly{"TaskHandle": anyText})
			r.wantHandle(start.text("TaskHandle"), p.deadLettersARN)
			r.task(p.deadLettersARN, ended).
				answered(oneTask(p.deadLettersARN, "COMPLETED", 2, 2, input{"DestinationArn": arn}))
			got := bodies(r.receive(url, input{"MaxNumberOfMessages": 10}).messages())
			r.fact("sqs", "StartMessageMoveTask", members, "moved", fmt.Sprint(got), "[message-0 message-1]")
			r.receive(p.deadLetters, nil).answered(exactly{})
		}},
		{"test_move_task_workflow_with_default_destination", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(2)
			start := r.startMove(p.deadLettersARN, "", nil).answered(exactly{"TaskHandle": anyText})
			r.wantHandle(start.text("TaskHandle"), p.deadLettersARN)
			r.task(p.deadLettersARN, ended).answered(oneTask(p.deadLettersARN, "COMPLETED", 2, 2, nil))
			got := bodies(r.receive(p.url, input{"MaxNumberOfMessages": 10}).messages())
			r.fact("sqs", "StartMessageMoveTask", members, "moved", fmt.Sprint(got), "[message-0 message-1]")
			r.receive(p.deadLetters, nil).answered(exactly{})
		}},
		{"test_move_task_workflow_with_multiple_sources_as_default_destination", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(2)
			other, _ := r.deadLetterSource(p.deadLettersARN, 2)
			r.visible(p.deadLetters, 4)
			r.startMove(p.deadLettersARN, "", nil).answered(exactly{"TaskHandle": anyText})
			r.task(p.deadLettersARN, ended).answered(oneTask(p.deadLettersARN, "COMPLETED", 4, 4, nil))
			for _, url := range []string{p.url, other} {
				got := bodies(r.receive(url, input{"MaxNumberOfMessages": 10}).messages())
				r.fact("sqs", "StartMessageMoveTask", members, "moved", fmt.Sprint(got), "[message-0 message-1]")
			}
			r.receive(p.deadLetters, nil).answered(exactly{})
		}},
		{"test_move_task_with_throughput_limit", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(2)
			url, arn := r.queue(nil)
			r.startMove(p.deadLettersARN, arn, slow).answered(exactly{"TaskHandle": anyText})
			// The rate is 1 a second, so there is at least a second between the two messages.
			var sent []string
			r.eventually("both messages are moved", func() bool {
				for _, m := range r.receive(url, input{"AttributeNames": []string{"SentTimestamp"}}).messages() {
					sent = append(sent, m["Attributes"].(map[string]any)["SentTimestamp"].(string))
				}
				return len(sent) == 2
			})
			slices.Sort(sent)
			first, _ := strconv.Atoi(sent[0])
			second, _ := strconv.Atoi(sent[1])
			r.fact("sqs", "StartMessageMoveTask", members, "a second between them", second-first >= 1000, true)
		}},
		{"test_move_task_cancel", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(10)
			_, arn := r.queue(nil)
			handle := r.startMove(p.deadLettersARN, arn, slow).ok().text("TaskHandle")
			others := input{"DestinationArn": arn, "MaxNumberOfMessagesPerSecond": 1}
			running := input{"DestinationArn": arn, "MaxNumberOfMessagesPerSecond": 1, "TaskHandle": handle}
			r.task(p.deadLettersARN, moved(1)).
				answered(oneTask(p.deadLettersARN, "RUNNING", number{}, 10, running))
			r.sqs("CancelMessageMoveTask", input{"TaskHandle": handle}).
				answered(exactly{"ApproximateNumberOfMessagesMoved": number{}})
			r.task(p.deadLettersARN, ended).
				answered(oneTask(p.deadLettersARN, "CANCELLED", number{}, 10, others))
		}},
		{"test_move_task_delete_destination_queue_while_running", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(10)
			url, arn := r.queue(nil)
			r.startMove(p.deadLettersARN, arn, slow).ok()
			r.sqs("DeleteQueue", input{"QueueUrl": url}).answered(nil)
			r.task(p.deadLettersARN, ended).answered(oneTask(p.deadLettersARN, "FAILED", number{}, 10, input{
				"DestinationArn": arn, "MaxNumberOfMessagesPerSecond": 1,
				"FailureReason": "AWS.SimpleQueueService.NonExistentQueue"}))
		}},
		{"test_start_multiple_move_tasks", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(10)
			_, arn := r.queue(nil)
			r.startMove(p.deadLettersARN, arn, slow).ok()
			r.startMove(p.deadLettersARN, arn, slow).failed(400, "InvalidParameterValue",
				"There is already a task running. Only one active task is allowed for a source queue arn at a given "+
					"time.")
		}},
		{"test_source_needs_redrive_policy", "2024-04-30", func(r *Recorded) {
			_, source := r.queue(nil)
			_, destination := r.queue(nil)
			r.startMove(source, destination, nil).
				failed(400, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
		}},
		{"test_destination_needs_to_exist", "2024-04-30", func(r *Recorded) {
			p := r.deadLetterPipe(0)
			r.startMove(p.deadLettersARN, p.arn+"doesntexist", nil).failed(404, "ResourceNotFoundException",
				"The resource that you specified for the DestinationArn parameter doesn't exist.")
		}},
		{"test_cancel_with_invalid_task_handle", "2024-04-30", func(r *Recorded) {
			r.sqs("CancelMessageMoveTask", input{"TaskHandle": "foobared"}).
				failed(400, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
		}},
		{"test_cancel_with_invalid_source_arn_in_task_handle", "2024-04-30", func(r *Recorded) {
			_, arn := r.queue(nil)
			r.sqs("CancelMessageMoveTask", taskHandle("10f57157-fc38-4da9-a113-4de7e12d05dd", arn+"doesntexist")).
				failed(404, "ResourceNotFoundException", noSource)
		}},
		{"test_cancel_with_invalid_task_id_in_task_handle", "2024-04-30", func(r *Recorded) {
			_, arn := r.queue(nil)
			r.sqs("CancelMessageMoveTask", taskHandle("10f57157-fc38-4da9-a113-4de7e12d05aa", arn)).
				failed(404, "ResourceNotFoundException", "Task does not exist.")
		}},
	})
}
