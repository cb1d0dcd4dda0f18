package conformance

import (
	"fmt"
	"testing"
)

func TestRecordedSNSSubscriptions(t *testing.T) {
	isSubscribed := func(r *Recorded, a *answer) {
		r.Helper()
		a.answered(input{"SubscriptionArn": anyText})
	}
	list := func(s snsSubscription, want any) {
		s.r.Helper()
		s.r.call("sns", "ListSubscriptionsByTopic", input{"TopicArn": s.topic}).answered(input{"Subscriptions": want})
	}
	listed := func(s snsSubscription) []input {
		return []input{{
			"Endpoint": s.target, "Owner": anyText, "Protocol": "sqs", "SubscriptionArn": s.arn, "TopicArn": s.topic,
		}}
	}
	unsubscribe := func(r *Recorded, in input) *answer {
		r.Helper()
		return r.call("sns", "Unsubscribe", in)
	}
	// wrongPlace is the text about JSON that cannot be parsed.
	wrongPlace := func(text string, column int) string {
		return fmt.Sprintf("failed to parse JSON. %s\n at [Source: REDACTED "+
			"(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: %d]", text, column)
	}
	checkRecorded(t, "sns/test_sns", []recording{
		{"TestSNSSubscriptionCrud::test_subscribe_with_invalid_protocol", "2025-10-06", func(r *Recorded) {
			r.call("sns", "Subscribe", input{
				"TopicArn": r.snsTopic(nil), "Protocol": "test-protocol", "Endpoint": "a",
			}).invalid("Amazon SNS does not support this protocol string: test-protocol")
		}},
		{"TestSNSSubscriptionCrud::test_subscribe_with_invalid_topic", "2025-10-06", func(r *Recorded) {
			to := func(topic string) *answer {
				return r.call("sns", "Subscribe",
					input{"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"})
			}
			to("randomstring").invalid("TopicArn" + noARN + "1")
			to("arn:aws:sns:us-east-1:random").invalid("TopicArn" + noARN + "5")
			to(r.snsTopic(nil)+"aaa").refused(404, "NotFound", topicGone)
		}},
		{"TestSNSSubscriptionCrudV2::test_subscribe_unknown_topic", "2025-10-06", func(r *Recorded) {
			r.call("sns", "Subscribe", input{
				"TopicArn": r.snsTopic(nil) + "-other", "Protocol": "sms", "Endpoint": "+1234567890",
			}).refused(404, "NotFound", topicGone)
		}},
		{"TestSNSSubscriptionCrudV2::test_subscribe_unknown_sqs_queue", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			s.target += "-other"
			isSubscribed(r, s.subscribe(nil))
			s.target = "unknown"
			s.subscribe(nil).invalid("SQS endpoint ARN")
		}},
		{"TestSNSSubscriptionCrudV2::test_subscribe_sqs_queue_url", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			s.target = s.queue
			s.subscribe(nil).invalid("SQS endpoint ARN")
		}},
		{"TestSNSSubscriptionSQS::test_subscribe_to_sqs_with_queue_url", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			s.target = s.queue
			s.subscribe(nil).invalid("SQS endpoint ARN")
		}},
		{"TestSNSSubscriptionCrudV2::test_subscribe_invalid_filter_policy", "2026-01-13", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			_, s.target = r.snsQueue()
			s.subscribe(attributeMap{"FilterPolicy": "invalid-json"}).invalid("Attributes Reason: FilterPolicy: " +
				wrongPlace("Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token "+
					"'null', 'true' or 'false')", 8))
		}},
		{"TestSNSSubscriptionCrudV2::test_double_subscription", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			for range 2 {
				s.subscribe(nil).answered(input{"SubscriptionArn": s.arn})
			}
		}},
		{"TestSNSSubscriptionCrud::test_subscribe_idempotency", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(attributeMap{"RawMessageDelivery": "True"})
			s.hasAttributes(input{"RawMessageDelivery": "true"})
			for _, attributes := range []attributeMap{
				{"RawMessageDelivery": "true"},
				{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageAttributes"},
				nil,
				{},
				{"FilterPolicyScope": "MessageAttributes"},
			} {
				s.subscribe(attributes).answered(input{"SubscriptionArn": s.arn})
			}
			s.subscribe(attributeMap{"RawMessageDelivery": "false", "FilterPolicyScope": "MessageBody"}).
				invalid("Attributes Reason: Subscription already exists with different attributes")
		}},
		{"TestSNSSubscriptionCrud::test_create_subscriptions_with_attributes", "2025-10-06", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			_, s.target = r.snsQueue()
			in := attributeMap{
				"RawMessageDelivery": "wrongvalue", "FilterPolicyScope": "MessageBody", "FilterPolicy": "",
			}
			s.subscribe(in).invalid(
				"Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false.")
			in["RawMessageDelivery"] = "TrUe"
			subscribed := s.subscribe(in)
			isSubscribed(r, subscribed)
			s.arn = subscribed.text("SubscriptionArn")
			s.hasAttributes(input{"RawMessageDelivery": "true"})
			r.call("sns", "GetSubscriptionAttributes", input{"SubscriptionArn": s.arn[:len(s.arn)-8] + "00000000"}).
				refused(404, "NotFound", subscriptionGone)
		}},
		{"TestSNSSubscriptionCrudV2::test_subscribe_attributes", "2026-01-12", func(r *Recorded) {
			r.subscribed(nil).hasAttributes(nil)
		}},
		{"TestSNSSubscriptionSQS::test_sqs_topic_subscription_confirmation", "2023-08-24", func(r *Recorded) {
			r.subscribed(nil).hasAttributes(nil)
		}},
		{"TestSNSSubscriptionCrudV2::test_creating_subscription_with_attributes", "2026-01-12", func(r *Recorded) {
			r.subscribed(attributeMap{"RawMessageDelivery": "true"}).hasAttributes(input{"RawMessageDelivery": "true"})
		}},
		{"TestSNSSubscriptionCrudV2::test_set_subscription_attributes", "2026-01-13", func(r *Recorded) {
			s := r.subscribed(nil)
			s.set("RawMessageDelivery", "true").ok()
			s.hasAttributes(input{"RawMessageDelivery": "true"})
		}},
		// The documentation (read on 2026-11-28) says that DeleteTopic deletes the subscriptions.
		// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
		{"TestSNSSubscriptionCrudV2::test_delete_subscriptions_on_delete_topic", "2026-01-12", func(r *Recorded) {
			s := r.subscribed(attributeMap{"RawMessageDelivery": "true"})
			r.call("sns", "DeleteTopic", input{"TopicArn": s.topic}).ok()
			s.hasAttributes(input{"RawMessageDelivery": "true"})
		}},
		{"TestSNSSubscriptionCrudV2::test_get_subscription_attributes_error_not_exists", "2026-01-14",
			func(r *Recorded) {
				r.call("sns", "GetSubscriptionAttributes", input{
					"SubscriptionArn": r.snsTopic(nil) + ":00000000-0000-0000-0000-000000000000",
				}).refused(404, "NotFound", subscriptionGone)
			}},
		{"TestSNSSubscriptionCrud::test_validate_set_sub_attributes", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			unexpected := wrongPlace(
				"Unexpected character ('i' (code 105)): was expecting double-quote to start field name", 2)
			s.set("FakeAttribute", "test-value").invalid("AttributeName")
			s.set("RawMessageDelivery", "test-ValUe").
				invalid("RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false.")
			s.set("RawMessageDelivery", "").invalid("RawMessageDelivery: Invalid value []. Must be true or false.")
			s.set("RedrivePolicy", `{"deadLetterTargetArn":"fake-arn"}`).
				invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
			s.set("RedrivePolicy", "{invalidjson}").invalid("RedrivePolicy: " + unexpected)
			s.set("FilterPolicy", "{invalidjson}").invalid("FilterPolicy: " + unexpected)
		}},
		{"TestSNSSubscriptionCrud::test_not_found_error_on_set_subscription_attributes", "2025-10-06",
			func(r *Recorded) {
				s := r.subscribed(nil)
				isSubscribed(r, s.subscribe(nil))
				s.hasAttributes(nil)
				list(s, listed(s))
				unsubscribe(r, input{"SubscriptionArn": s.arn}).ok()
				s.set("RawMessageDelivery", "true").refused(404, "NotFound", subscriptionGone)
				list(s, emptyList)
			}},
		{"TestSNSSubscriptionCrudV2::test_getting_subscriptions_by_topic", "2025-10-07", func(r *Recorded) {
			s := r.subscribed(nil)
			list(s, listed(s))
		}},
		{"TestSNSSubscriptionCrud::test_list_subscriptions_by_topic_pagination", "2025-10-06", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			_, target := r.snsQueue()
			for i := range 101 {
				s.target = fmt.Sprint(target, "-", i) // need not exist
				s.subscribe(nil).ok()
			}
			page := r.call("sns", "ListSubscriptionsByTopic", input{"TopicArn": s.topic}).ok()
			if got := len(page.members["Subscriptions"].([]any)); got != 100 {
				r.Errorf("the first page has %d subscriptions, want 100", got)
			}
			r.call("sns", "ListSubscriptionsByTopic",
				input{"TopicArn": s.topic, "NextToken": page.text("NextToken")}).answered(input{
				"Subscriptions": []input{{
					"Endpoint": anyText, "Owner": anyText, "Protocol": "sqs", "SubscriptionArn": anyText,
					"TopicArn": s.topic,
				}},
				"NextToken": missing{},
			})
		}},
		{"TestSNSSubscriptionCrud::test_list_subscriptions", "2023-08-25", func(r *Recorded) {
			want := map[any]bool{}
			for range 2 {
				topic := r.snsTopic(nil)
				for range 3 {
					want[r.subscribedTo(topic, nil).arn] = true
				}
			}
			for token := ""; ; {
				page := r.call("sns", "ListSubscriptions", input{"NextToken": token}).ok()
				for _, s := range page.members["Subscriptions"].([]any) {
					delete(want, s.(map[string]any)["SubscriptionArn"])
				}
				if page.members["NextToken"] == nil {
					break
				}
				token = page.text("NextToken")
			}
			r.fact("sns", "ListSubscriptions", members, "subscriptions that are not listed", len(want), 0)
		}},
		{"TestSNSSubscriptionCrud::test_unsubscribe_from_non_existing_subscription", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			unsubscribe(r, input{"SubscriptionArn": s.arn}).ok()
			unsubscribe(r, input{"SubscriptionArn": s.arn}).answered(nil)
		}},
		{"TestSNSSubscriptionCrud::test_unsubscribe_idempotency", "2025-10-06", func(r *Recorded) {
			s := r.subscribed(nil)
			for range 2 {
				unsubscribe(r, input{"SubscriptionArn": s.arn}).answered(nil)
			}
		}},
		{"TestSNSSubscriptionCrud::test_unsubscribe_wrong_arn_format", "2025-10-06", func(r *Recorded) {
			const arn = "arn:aws:sns:us-east-1:"
			unsubscribe(r, input{"SubscriptionArn": "randomstring"}).invalid("SubscriptionArn" + noARN + "1")
			unsubscribe(r, input{"SubscriptionArn": arn + "random"}).invalid("SubscriptionArn" + noARN + "5")
			unsubscribe(r, input{"SubscriptionArn": arn + "111111111111:random"}).invalid("SubscriptionId")
			unsubscribe(r, nil).invalid("SubscriptionArn Reason: no value for required parameter")
		}},
		// An unconfirmed HTTP subscription had this in place of an ARN.
		{"TestSNSSubscriptionCrudV2::test_unsubscribe_from_deleted_topic", "2025-10-07", func(r *Recorded) {
			unsubscribe(r, input{"SubscriptionArn": "pending confirmation"}).invalid("SubscriptionArn" + noARN + "1")
		}},
	})
}

func TestRecordedSNSDelivery(t *testing.T) {
	const binary = "AgME" // the bytes 2, 3 and 4
	raw := attributeMap{"RawMessageDelivery": "true"}
	checkRecorded(t, "sns/test_sns", []recording{
		{"TestSNSSubscriptionSQS::test_subscribe_sqs_queue", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			const policy = `{"attr1": [{"numeric": [">", 0, "<=", 100]}]}`
			s.set("FilterPolicy", policy).ok()
			s.hasAttributes(input{"FilterPolicy": policy, "FilterPolicyScope": "MessageAttributes"})
			s.publish("a", input{"MessageAttributes": input{"attr1": snsAttribute("Number", "99.12")}}).ok()
			s.delivers(s.envelope("a", input{"MessageAttributes": input{
				"attr1": input{"Type": "Number", "Value": "99.12"},
			}}))
		}},
		{"TestSNSSubscriptionSQS::test_publish_unicode_chars", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			const message = "ö§a1\"_!?,. £$-"
			s.publish(message, nil).ok()
			s.delivers(s.envelope(message, nil))
		}},
		{"TestSNSSubscriptionSQS::test_attribute_raw_subscribe", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(raw)
			s.hasAttributes(input{"RawMessageDelivery": "true"})
			s.publish("a", input{"MessageAttributes": input{"store": snsAttribute("Binary", binary)}}).ok()
			s.delivers(input{
				"Body": "a", "MD5OfMessageAttributes": snsMD5,
				"MessageAttributes": input{"store": snsAttribute("Binary", binary)},
			})
		}},
		{"TestSNSSubscriptionSQS::test_publish_sqs_from_sns", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			s.set("RawMessageDelivery", "true").ok()
			s.hasAttributes(input{"RawMessageDelivery": "true"})
			attributes := input{"attr1": snsAttribute("Number", "99.12")}
			s.publish("a", input{"MessageAttributes": attributes}).ok()
			s.delivers(input{
				"Body": "a", "MD5OfMessageAttributes": "d302007e9aa062660afc85fd0a482472",
				"MessageAttributes": attributes,
			})
			s.set("RawMessageDelivery", "false").ok()
			s.hasAttributes(nil)
			s.publish("a", input{"MessageAttributes": input{"attr1": snsAttribute("Number", "100.12")}}).ok()
			s.delivers(s.envelope("a", input{"MessageAttributes": input{
				"attr1": input{"Type": "Number", "Value": "100.12"},
			}}))
		}},
		{"TestSNSSubscriptionSQS::test_publish_batch_messages_from_sns_to_sqs", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(raw)
			s.hasAttributes(input{"RawMessageDelivery": "true"})
			one := input{"attr1": snsAttribute("Number", "19.12")}
			two := input{"attr1": snsAttribute("Number", "99.12"), "attr2": snsAttribute("Number", "109.12")}
			var successful []input
			for i := range 5 {
				successful = append(successful, input{"Id": fmt.Sprint(i + 1), "MessageId": anyUUID})
			}
			r.call("sns", "PublishBatch", input{"TopicArn": s.topic, "PublishBatchRequestEntries": []input{
				{"Id": "1", "Message": "b", "Subject": "Subject", "MessageAttributes": two},
				{"Id": "2", "Message": "a", "Subject": "Subject", "MessageAttributes": one},
				{"Id": "3", "Message": "c", "Subject": "Subject"},
				{"Id": "4", "Message": "d"},
				{"Id": "5", "Message": `{"default":"f","sqs":"e"}`, "MessageStructure": "json"},
			}}).answered(input{"Successful": successful, "Failed": emptyList})
			s.delivers(
				input{
					"Body": "a", "MD5OfMessageAttributes": "1f07082409022a373fa2a2601f82b3cb", "MessageAttributes": one,
				}, input{
					"Body": "b", "MD5OfMessageAttributes": "9b720b3af309c1c4b0d395c53b08c502", "MessageAttributes": two,
				}, "c", "d", "e")
		}},
		{"TestSNSSubscriptionSQS::test_message_attributes_not_missing", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(raw)
			attributes := input{"key": snsAttribute("String", "value"), "bytes": snsAttribute("Binary", binary)}
			s.publish("a", input{"MessageAttributes": attributes}).answered(published)
			s.delivers(input{"Body": "a", "MD5OfMessageAttributes": snsMD5, "MessageAttributes": attributes})
			s.set("RawMessageDelivery", "false").ok()
			s.publish("a", input{"MessageAttributes": attributes}).answered(published)
			s.delivers(s.envelope("a", input{"MessageAttributes": input{
				"key": input{"Type": "String", "Value": "value"}, "bytes": input{"Type": "Binary", "Value": binary},
			}}))
		}},
		{"TestSNSSubscriptionSQS::test_message_structure_json_to_sqs", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			as := input{"MessageStructure": "json"}
			s.publish(`{"default":"a","sqs":"{\"field\": \"value\"}"}`, as).ok()
			s.delivers(s.envelope(`{"field": "value"}`, nil))
			s.publish(`{"default":"a","sqs":{"field":"value"}}`, as).ok()
			s.delivers(s.envelope("a", nil))
		}},
		{"TestSNSSubscriptionSQS::test_publish_message_group_id", "2025-08-18", func(r *Recorded) {
			s := r.subscribed(nil)
			s.publish("a", input{
				"MessageGroupId": "my-group-id-1", "MessageAttributes": input{"attr1": snsAttribute("Number", "1")},
			}).ok()
			s.delivers(input{
				"Body": s.envelope("a", input{"MessageAttributes": input{
					"attr1": input{"Type": "Number", "Value": "1"},
				}}),
				"Attributes": input{
					"MessageGroupId": "my-group-id-1", "ApproximateFirstReceiveTimestamp": anyMillis,
					"ApproximateReceiveCount": "1", "SenderId": anyText, "SentTimestamp": anyMillis,
				},
			})
		}},
		{"TestSNSSubscriptionSQS::test_publish_sqs_from_sns_with_xray_propagation", "2023-08-24", func(r *Recorded) {
			const trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
			s := r.subscribed(nil)
			r.header = map[string][]string{"X-Amzn-Trace-Id": {trace}}
			s.publish("a", nil).ok()
			r.header = nil
			s.delivers(input{
				"Body": s.envelope("a", nil), "Attributes": input{"AWSTraceHeader": trace, "SentTimestamp": anyMillis},
			})
		}},
		{"TestSNSSubscriptionSQS::test_redrive_policy_sqs_queue_subscription[True]", "2023-08-24", deadLetter(raw)},
		{"TestSNSSubscriptionSQS::test_redrive_policy_sqs_queue_subscription[False]", "2023-08-24", deadLetter(nil)},
		{"TestSNSSubscriptionSQS::test_subscription_after_failure_to_deliver", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			s.hasAttributes(nil)
			s.publish("a", nil).ok()
			s.delivers(s.envelope("a", nil))
			r.call("sqs", "DeleteQueue", input{"QueueUrl": s.queue}).ok()
			s.publish("lost", nil).ok()
			r.call("sns", "ListSubscriptionsByTopic", input{"TopicArn": s.topic}).answered(input{
				"Subscriptions": []input{{
					"Endpoint": s.target, "Owner": anyText, "Protocol": "sqs", "SubscriptionArn": s.arn,
					"TopicArn": s.topic,
				}},
			})
			queue, target := r.snsQueue()
			s.set("RedrivePolicy", `{"deadLetterTargetArn":"`+target+`"}`).ok()
			s.hasAttributes(input{"RedrivePolicy": jsonOf{input{"deadLetterTargetArn": target}}})
			for _, message := range []string{"b", "c"} {
				s.publish(message, nil).ok()
				r.receives(queue, s.envelope(message, nil))
			}
		}},
	})
}

// deadLetter returns a recording of a message whose queue was deleted. In the dead-letter queue the
// message has the attributes of a delivery, and none that tell the error. Only dead letters of
// functions have RequestID, ErrorCode and ErrorMessage.
func deadLetter(attributes attributeMap) func(r *Recorded) {
	return func(r *Recorded) {
		s := r.subscribed(attributes)
		queue, target := r.snsQueue()
		s.set("RedrivePolicy", `{"deadLetterTargetArn":"`+target+`"}`).ok()
		r.call("sqs", "DeleteQueue", input{"QueueUrl": s.queue}).ok()
		sent := input{"attr1": snsAttribute("Number", "111"), "attr2": snsAttribute("Binary", "AgME")}
		s.publish("a", input{"MessageAttributes": sent}).ok()
		if attributes == nil {
			r.receives(queue, s.envelope("a", input{"MessageAttributes": input{
				"attr1": input{"Type": "Number", "Value": "111"}, "attr2": input{"Type": "Binary", "Value": "AgME"},
			}}))
			return
		}
		noError := input{"RequestID": missing{}, "ErrorCode": missing{}, "ErrorMessage": missing{}}
		for name, value := range sent {
			noError[name] = value
		}
		r.receives(queue, input{"Body": "a", "MD5OfMessageAttributes": snsMD5, "MessageAttributes": noError})
	}
}
