package conformance

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func str(value string) input { return input{"DataType": "String", "StringValue": value} }

// systemAttributes are the system attributes that every received message has.
func systemAttributes(receives string, others input) input {
	all := exactly{
		"ApproximateFirstReceiveTimestamp": anyMillis, "ApproximateReceiveCount": receives, "SenderId": anyText,
		"SentTimestamp": anyMillis,
	}
	for name, value := range others {
		all[name] = value
	}
	return input{"Attributes": all}
}

func (r *Recorded) sendWith(url, body string, parameters input) *answer {
	r.Helper()
	in := input{"QueueUrl": url, "MessageBody": body}
	for name, value := range parameters {
		in[name] = value
	}
	return r.sqs("SendMessage", in)
}

func one(message exactly) exactly { return exactly{"Messages": []any{message}} }

func TestRecordedSQSMessages(t *testing.T) {
	names := func(parameter string, list ...string) input { return input{parameter: list} }
	// systemNames are requests for system attributes, by AttributeNames or its new name.
	systemNames := func(parameter string) func(r *Recorded) {
		return func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "0"})
			id := r.sendWith(url, "msg", input{"MessageAttributes": input{"Foo": str("Bar")}}).ok().text("MessageId")
			foo := input{"MD5OfMessageAttributes": "ae7155c6026991b6d54b11589678bf9c",
				"MessageAttributes": exactly{"Foo": exactly(str("Bar"))}}
			sender := input{"Attributes": exactly{"SenderId": anyText}}
			r.receive(url, names(parameter, "All")).answered(one(received(id, "msg", systemAttributes("1", nil))))
			r.receive(url, input{parameter: []string{"All"}, "MessageAttributeNames": []string{"All"}}).
				answered(one(received(id, "msg", systemAttributes("2", nil), foo)))
			r.receive(url, names(parameter, "SenderId")).answered(one(received(id, "msg", sender)))
			r.receive(url, names(parameter, "SenderId", "SequenceNumber")).answered(one(received(id, "msg", sender)))
		}
	}
	invalidGroup := func(group string) func(r *Recorded) {
		return func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sendWith(url, "message", input{"MessageGroupId": group}).failed(400, "InvalidParameterValue",
				"Value "+group+" for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "+
					"alphanumeric and punctuation characters. 1 to 128 in length.")
		}
	}
	checkRecorded(t, "sqs/test_sqs", inBothProtocols([]recording{
		{"test_send_receive_message[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			sent := r.sendWith(url, "message", nil).answered(exactly{"MessageId": anyUUID,
				"MD5OfMessageBody": "78e731027d8fd50ed642340b7c9a63b3"})
			r.receive(url, nil).answered(one(received(sent.text("MessageId"), "message")))
		}},
		{"test_send_receive_message_multiple_queues", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			other, _ := r.queue(nil)
			id := r.sendMessage(url, "message")
			r.receive(other, nil).answered(exactly{})
			r.receive(url, nil).answered(one(received(id, "message")))
		}},
		{"test_send_receive_message_encoded_content[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			const body = "\"&quot;&quot;\r"
			id := r.sendMessage(url, body)
			r.receive(url, nil).answered(one(received(id, body)))
		}},
		{"test_send_message_via_queue_url_with_json_protocol", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			header := http.Header{"Content-Type": {"application/x-amz-json-1.0"},
				"X-Amz-Target": {"AmazonSQS.ReceiveMessage"}}
			r.sendTo(url, "sqs", "ReceiveMessage", header, []byte(`{"QueueUrl": "`+url+`", "WaitTimeSeconds": 1}`)).
				answered(exactly{})
		}},
		{"test_send_empty_message[*]", "2025-09-22", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sendWith(url, "", nil).
				failed(400, "MissingParameter", "The request must contain the parameter MessageBody.")
		}},
		{"test_send_oversized_message[*]", "2025-08-19", func(r *Recorded) {
			url, _ := r.queue(nil)
			body := strings.Repeat("a", 1<<20-len("kStringx")+1)
			r.sendWith(url, body, input{"MessageAttributes": input{"k": str("x")}}).
				failed(400, "InvalidParameterValue",
					"One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.")
		}},
		{"test_send_message_with_updated_maximum_message_size[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.setAttributes(url, attributeMap{"MaximumMessageSize": "1024"}).answered(nil)
			r.sendWith(url, strings.Repeat("a", 1024), nil).answered(nil)
			body := strings.Repeat("a", 1024-len("kStringx")+1)
			r.sendWith(url, body, input{"MessageAttributes": input{"k": str("x")}}).
				failed(400, "InvalidParameterValue",
					"One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.")
		}},
		{"test_send_message_with_binary_attributes[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			value := "traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"
			binary := input{"DataType": "Binary", "BinaryValue": base64.StdEncoding.EncodeToString([]byte(value))}
			digest := input{"MD5OfMessageAttributes": "8cbe4db156db8a94db8b801b7addb984"}
			sent := r.sendWith(url, "test", input{"MessageAttributes": input{"attr1": binary}}).answered(digest)
			r.receive(url, names("MessageAttributeNames", "All")).answered(one(received(sent.text("MessageId"), "test",
				digest, input{"MessageAttributes": exactly{"attr1": exactly(binary)}})))
		}},
		{"test_send_message_with_empty_string_attribute[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sendWith(url, "test", input{"MessageAttributes": input{"ErrorDetails": str("")}}).
				failed(400, "InvalidParameterValue",
					"Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.")
		}},
		{"test_aws_trace_header_propagation[*]", "2025-06-27", func(r *Recorded) {
			const trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
			url, _ := r.queue(nil)
			r.header = http.Header{"X-Amzn-Trace-Id": {trace}}
			timestamp := input{"DataType": "Number", "StringValue": "1493147359900"}
			attributes := input{"MessageAttributes": input{"timestamp": timestamp}}
			id := r.sendWith(url, "test", attributes).ok().text("MessageId")
			r.header = nil
			r.receive(url, input{"AttributeNames": []string{"SentTimestamp", "AWSTraceHeader"},
				"MessageAttributeNames": []string{"All"}}).answered(one(received(id, "test", input{
				"Attributes":             exactly{"AWSTraceHeader": trace, "SentTimestamp": anyMillis},
				"MD5OfMessageAttributes": "235c5c510d26fb653d073faed50ae77c",
				"MessageAttributes":      exactly{"timestamp": exactly(timestamp)},
			})))
		}},
		{"test_dead_letter_queue_message_attributes", "2024-04-30", func(r *Recorded) {
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
			deadLetters, arn := r.queue(nil)
			url, source := r.queue(redrivePolicy(arn, 1))
			custom := input{"MessageAttributes": input{"MyAttribute": str("foobar")}}
			first := r.sendWith(url, "message-1", input{"MessageAttributes": custom["MessageAttributes"],
				"MessageSystemAttributes": input{"AWSTraceHeader": str(trace)}}).ok().text("MessageId")
			second := r.sendMessage(url, "message-2")
			custom["MD5OfMessageAttributes"] = "adb59cd4678ea5a855436b949cd07ab6"
			all := input{"VisibilityTimeout": 0, "AttributeNames": []string{"All"},
				"MessageAttributeNames": []string{"All"}}
			r.receive(url, all).answered(one(received(first, "message-1", custom,
				systemAttributes("1", input{"AWSTraceHeader": trace}))))
			r.receive(url, all).answered(one(received(second, "message-2", systemAttributes("1", nil))))
			r.receive(url, all)
			r.receive(url, all)
			r.visible(deadLetters, 2)
			all["VisibilityTimeout"] = 30
			from := input{"DeadLetterQueueSourceArn": source}
			withTrace := input{"DeadLetterQueueSourceArn": source, "AWSTraceHeader": trace}
			r.receive(deadLetters, all).
				answered(one(received(first, "message-1", custom, systemAttributes("2", withTrace))))
			r.receive(deadLetters, all).answered(one(received(second, "message-2", systemAttributes("2", from))))
		}},
		{"test_fair_queue_with_message_group_id[*]", "2025-08-18", func(r *Recorded) {
			url, _ := r.queue(nil)
			sent := r.sendWith(url, "message", input{"MessageGroupId": "test"}).answered(exactly{"MessageId": anyUUID,
				"MD5OfMessageBody": "78e731027d8fd50ed642340b7c9a63b3"})
			r.receive(url, names("AttributeNames", "All")).answered(one(received(sent.text("MessageId"), "message",
				systemAttributes("1", input{"MessageGroupId": "test"}))))
		}},
		{"test_send_message_to_standard_queue_with_invalid_message_group_id[empty]", "2025-07-30", invalidGroup("")},
		{"test_send_message_to_standard_queue_with_invalid_message_group_id[too_long]", "2025-07-30",
			invalidGroup(strings.Repeat("a", 129))},
		{"test_send_message_to_standard_queue_with_invalid_message_group_id[spaces]", "2025-07-30",
			invalidGroup("group 123")},
		{"test_send_receive_max_number_of_messages[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.receive(url, input{"MaxNumberOfMessages": 11}).failed(400, "InvalidParameterValue",
				"Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
		}},
		{"test_receive_empty_queue[*]", "2025-02-10", func(r *Recorded) {
			url, _ := r.queue(nil)
			for _, parameters := range []input{{}, {"MaxNumberOfMessages": 1}, {"WaitTimeSeconds": 1}} {
				r.receive(url, parameters).answered(exactly{})
			}
		}},
		{"test_send_receive_wait_time_seconds[*]", "2025-02-10", func(r *Recorded) {
			url, _ := r.queue(nil)
			first, second := r.sendMessage(url, "message"), r.sendMessage(url, "message")
			r.receive(url, input{"WaitTimeSeconds": 21}).failed(400, "InvalidParameterValue",
				"Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.")
			r.receive(url, input{"WaitTimeSeconds": -1}).failed(400, "InvalidParameterValue",
				"Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.")
			r.receive(url, input{"MaxNumberOfMessages": 1}).answered(one(received(first, "message")))
			r.receive(url, input{"WaitTimeSeconds": 0}).answered(one(received(second, "message")))
		}},
		{"test_wait_time_seconds_waits_correctly[*]", "2025-01-23", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sendWith(url, "foobared", input{"DelaySeconds": 1}).ok() // it comes while the receiver waits
			r.receive(url, input{"WaitTimeSeconds": 10}).answered(one(received(anyUUID, "foobared")))
		}},
		{"test_receive_message_attributes_timestamp_types[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			id := r.sendMessage(url, "message")
			r.receive(url, names("AttributeNames", "All")).
				answered(one(received(id, "message", systemAttributes("1", nil))))
		}},
		{"test_receive_message_attribute_names_filters[*]", "2024-06-04", systemNames("AttributeNames")},
		{"test_receive_message_message_system_attribute_names_filters[*]", "2024-06-04",
			systemNames("MessageSystemAttributeNames")},
		{"test_message_system_attribute_names_with_attribute_names[*]", "2024-06-05", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "0"})
			id := r.sendWith(url, "msg", input{"MessageAttributes": input{"Foo": str("Bar")}}).ok().text("MessageId")
			both := func(former string) *answer {
				return r.receive(url, input{"MessageSystemAttributeNames": []string{"All"},
					"AttributeNames": []string{former}})
			}
			both("All").answered(one(received(id, "msg", systemAttributes("1", nil))))
			want := systemAttributes("2", nil)
			if r.inQueryProtocol() {
				want = input{"Attributes": exactly{"SenderId": anyText}}
			}
			both("SenderId").answered(one(received(id, "msg", want)))
		}},
		{"test_receive_message_message_attribute_names_filters[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "0"})
			all := input{"Help.Me": str("Me"), "Hello": str("There"), "General": str("Kenobi")}
			id := r.sendWith(url, "msg", input{"MessageAttributes": all}).answered(exactly{"MessageId": anyUUID,
				"MD5OfMessageBody":       "6e2baaf3b97dbeef01c0043275f9a0e7",
				"MD5OfMessageAttributes": "4c360f3fdafd970e05fae2f149d997f5"}).text("MessageId")
			for _, c := range []struct {
				names  []string
				digest string
				want   []string
			}{
				{nil, "", nil},
				{[]string{"All"}, "4c360f3fdafd970e05fae2f149d997f5", []string{"General", "Hello", "Help.Me"}},
				{[]string{"*"}, "4c360f3fdafd970e05fae2f149d997f5", []string{"General", "Hello", "Help.Me"}},
				{[]string{".*"}, "4c360f3fdafd970e05fae2f149d997f5", []string{"General", "Hello", "Help.Me"}},
				{[]string{"Foo", "Help"}, "", nil},
				{[]string{"Hello", "General"}, "fca026605781cb4126a1e9044df24232", []string{"General", "Hello"}},
				{[]string{"Foo", "Hello"}, "a311262e065454b75da111d535b8dacd", []string{"Hello"}},
				{[]string{"Hel.*"}, "83fee93c1bcd8b9a5a923ffacdc636c7", []string{"Hello", "Help.Me"}},
				{[]string{"AWS."}, "", nil},
				{[]string{"..foo"}, "", nil},
			} {
				others, want := input{}, exactly{}
				for _, name := range c.want {
					want[name] = exactly(all[name].(input))
					others = input{"MD5OfMessageAttributes": c.digest, "MessageAttributes": want}
				}
				r.receive(url, names("MessageAttributeNames", c.names...)).answered(one(received(id, "msg", others)))
			}
		}},
		{"test_delete_after_visibility_timeout[*]", "2025-03-28", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "1"})
			r.sendMessage(url, "foobar")
			handle := r.receive(url, nil).messages()[0]["ReceiptHandle"]
			r.visible(url, 1)
			r.sqs("DeleteMessage", input{"QueueUrl": url, "ReceiptHandle": handle}).answered(nil)
			r.receive(url, nil).answered(exactly{})
		}},
		{"test_change_message_visibility_after_visibility_timeout_expiration[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "1"})
			r.sendMessage(url, "test")
			handle := r.receive(url, nil).messages()[0]["ReceiptHandle"]
			r.visible(url, 1)
			r.sqs("ChangeMessageVisibility", input{"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 2}).
				answered(exactly{})
		}},
	}))
}
