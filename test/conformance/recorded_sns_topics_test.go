package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRecordedSNSTopics(t *testing.T) {
	k1, k2 := input{"Key": "k1", "Value": "v1"}, input{"Key": "k2", "Value": "v2"}
	tags := func(r *Recorded, arn string, want any) {
		r.Helper()
		r.call("sns", "ListTagsForResource", input{"ResourceArn": arn}).answered(input{"Tags": want})
	}
	create := func(r *Recorded, name string, more input) *answer {
		r.Helper()
		in := input{"Name": name}
		for key, value := range more {
			in[key] = value
		}
		created := r.call("sns", "CreateTopic", in)
		if arn, ok := created.members["TopicArn"]; ok {
			r.Cleanup(func() { r.call("sns", "DeleteTopic", input{"TopicArn": arn}) })
		}
		return created
	}
	remove := func(r *Recorded, arn string) *answer {
		r.Helper()
		return r.call("sns", "DeleteTopic", input{"TopicArn": arn})
	}
	attributes := func(r *Recorded, arn string) *answer {
		r.Helper()
		return r.call("sns", "GetTopicAttributes", input{"TopicArn": arn})
	}
	checkRecorded(t, "sns/test_sns", []recording{
		// Its first answer is about a FIFO topic.
		{"TestSNSTopicCrud::test_create_topic_with_attributes", "2025-09-25", func(r *Recorded) {
			arn := r.snsTopic(attributeMap{"DisplayName": "TestTopic", "SignatureVersion": "2"})
			attributes(r, arn+"-other").refused(404, "NotFound", topicGone)
			attributes(r, "test-topic").invalid("TopicArn" + noARN + "1")
		}},
		{"TestSNSTopicCrud::test_create_topic_test_arn", "2025-09-29", func(r *Recorded) {
			name := unique("topic")
			created := r.call("sns", "CreateTopic", input{"Name": name})
			arn := created.text("TopicArn")
			created.answered(input{"TopicArn": strings.Join(append(strings.Split(arn, ":")[:5], name), ":")})
			attributes(r, arn).answered(topicAttributes(arn, ""))
			remove(r, arn).answered(nil)
			attributes(r, arn).refused(404, "NotFound", topicGone)
		}},
		{"TestSNSTopicCrud::test_tags", "2025-10-13", func(r *Recorded) {
			arn := r.snsTopic(nil)
			tag := func(tags ...input) *answer {
				return r.call("sns", "TagResource", input{"ResourceArn": arn, "Tags": tags})
			}
			tag(k1, k2, k2).invalid("Duplicated keys are not allowed.")
			tag(k1, k2).ok()
			tags(r, arn, []input{k1, k2})
			r.call("sns", "UntagResource", input{"ResourceArn": arn, "TagKeys": []string{"k1"}}).ok()
			tags(r, arn, []input{k2})
			tag(input{"Key": "k2", "Value": "v2b"}).ok()
			tags(r, arn, []input{{"Key": "k2", "Value": "v2b"}})
		}},
		{"TestSNSTopicCrud::test_tags_removed_after_deletion", "2026-02-16", func(r *Recorded) {
			name := unique("topic")
			arn := create(r, name, nil).ok().text("TopicArn")
			r.call("sns", "TagResource", input{"ResourceArn": arn, "Tags": []input{k1, k2}}).ok()
			tags(r, arn, []input{k1, k2})
			remove(r, arn).ok()
			create(r, name, nil).ok()
			tags(r, arn, emptyList)
		}},
		{"TestSNSTopicCrud::test_create_duplicate_topic_with_more_tags", "2025-10-13", func(r *Recorded) {
			name := unique("topic")
			create(r, name, nil).ok()
			create(r, name, input{"Tags": []input{k1}}).invalid("Tags Reason: Topic already exists with different tags")
		}},
		{"TestSNSTopicCrud::test_create_duplicate_topic_check_idempotency", "2025-10-13", func(r *Recorded) {
			name := unique("topic")
			first := create(r, name, input{"Tags": []input{k1, k2}})
			first.answered(input{"TopicArn": anyText})
			for _, some := range [][]input{{k1, k2}, {k1}, {}} {
				create(r, name, input{"Tags": some}).answered(input{"TopicArn": first.text("TopicArn")})
			}
		}},
		{"TestSNSTopicCrud::test_create_topic_after_delete_with_new_tags", "2025-10-13", func(r *Recorded) {
			name := unique("topic")
			first := create(r, name, input{"Tags": []input{k1}})
			first.answered(input{"TopicArn": anyText})
			remove(r, first.text("TopicArn")).ok()
			create(r, name, input{"Tags": []input{k2}}).answered(input{"TopicArn": first.text("TopicArn")})
		}},
		{"TestSNSTopicCrud::test_delete_topic_idempotency", "2025-09-29", func(r *Recorded) {
			arn := r.snsTopic(nil)
			remove(r, arn).answered(nil)
			remove(r, arn).answered(nil)
		}},
		{"TestSNSTopicCrudV2::test_delete_non_existent_topic", "2025-09-29", func(r *Recorded) {
			remove(r, r.snsTopic(nil)+"-other").answered(nil)
		}},
		{"TestSNSTopicCrudV2::test_create_topic_should_be_idempotent", "2025-09-29", func(r *Recorded) {
			name := unique("topic")
			arn := create(r, name, nil).ok().text("TopicArn")
			r.call("sns", "SetTopicAttributes", input{
				"TopicArn": arn, "AttributeName": "DisplayName", "AttributeValue": "AlreadySet",
			}).ok()
			attributes(r, arn).answered(topicAttributes(arn, "AlreadySet"))
			create(r, name, nil).ok()
			attributes(r, arn).answered(topicAttributes(arn, "AlreadySet"))
		}},
		{"TestSNSTopicCrudV2::test_create_topic_different_attrs", "2026-02-06", func(r *Recorded) {
			const different = "Attributes Reason: Topic already exists with different attributes"
			name := unique("topic")
			again := func(attributes attributeMap) *answer {
				r.Helper()
				return create(r, name, input{"Attributes": attributes})
			}
			first := again(attributeMap{"DisplayName": "Value1"})
			arn := first.text("TopicArn")
			first.answered(input{"TopicArn": anyText})
			create(r, name, nil).answered(input{"TopicArn": arn})
			attributes(r, arn).answered(topicAttributes(arn, "Value1"))
			again(attributeMap{"DisplayName": "Value1"}).ok()
			again(attributeMap{"FifoTopic": "false"}).ok()
			again(attributeMap{"DisplayName": "Value2"}).invalid(different)
			again(attributeMap{"FifoTopic": "true"}).invalid("Topic Name")
			again(attributeMap{"SignatureVersion": "2"}).invalid(different)
			again(attributeMap{"SignatureVersion": "2", "DisplayName": "Value1"}).invalid(different)
		}},
		{"TestSNSTopicCrudV2::test_create_topic_name_constraints", "2026-02-06", func(r *Recorded) {
			create(r, unique("topic")+strings.Repeat("a", 256-len(unique("topic"))), nil).
				answered(input{"TopicArn": anyText})
			for _, name := range []string{"", strings.Repeat("a", 257), "test.fifo"} {
				create(r, name, nil).invalid("Topic Name")
			}
			create(r, "test", input{"Attributes": attributeMap{"FifoTopic": "true"}}).invalid("Topic Name")
			for _, character := range ":;!@|^% " {
				create(r, "bad"+string(character)+"name", nil).invalid("Topic Name")
			}
		}},
		{"TestSNSTopicCrudV2::test_topic_get_attributes_with_fifo_false", "2025-09-29", func(r *Recorded) {
			arn := r.snsTopic(attributeMap{"FifoTopic": "false"})
			attributes(r, arn).answered(topicAttributes(arn, ""))
			r.call("sns", "SetTopicAttributes", input{
				"TopicArn": arn, "AttributeName": "FifoTopic", "AttributeValue": "false",
			}).invalid("AttributeName")
		}},
		{"TestSNSMultiRegions::test_cross_region_access", "2025-05-28", func(r *Recorded) {
			arn := inOtherRegion(r.snsTopic(nil))
			for operation, in := range map[string]input{
				"SetTopicAttributes":       {"AttributeName": "DisplayName", "AttributeValue": "a"},
				"GetTopicAttributes":       {},
				"Publish":                  {"Message": "a"},
				"Subscribe":                {"Protocol": "email", "Endpoint": "a@example.com"},
				"ListSubscriptionsByTopic": {},
				"DeleteTopic":              {},
			} {
				in["TopicArn"] = arn
				r.call("sns", operation, in).invalid("TopicArn")
			}
		}},
	},
		leftOut{27, "nothing is recorded of them but the date"},
		leftOut{42, "mobile push"},
		leftOut{18, "text messages to telephones"},
		leftOut{14, "FIFO topics"},
		leftOut{9, "subscriptions of HTTP endpoints, and `ConfirmSubscription`, which only these need"},
		leftOut{6, "subscriptions of functions"},
		leftOut{5, "`AddPermission` and `RemovePermission`, which are not implemented: programs declare policies"},
		leftOut{1, "data protection policies"},
		leftOut{2, "topics and queues of two regions: the local run has one"},
	)
}

func TestRecordedSNSPublish(t *testing.T) {
	const limit = 256 << 10
	attribute := input{"attr1": snsAttribute("Number", "1")}
	const attributeSize = len("attr1" + "Number" + "1")
	batch := func(r *Recorded, arn string, entries ...input) *answer {
		r.Helper()
		return r.call("sns", "PublishBatch", input{"TopicArn": arn, "PublishBatchRequestEntries": entries})
	}
	checkRecorded(t, "sns/test_sns", []recording{
		{"TestSNSPublishCrud::test_publish_by_path_parameters", "2025-11-19", func(r *Recorded) {
			s := r.subscribed(nil)
			parameters := url.Values{
				"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {s.topic}, "Message": {"in the query"},
			}
			r.sendTo(endpoint.url+"/?"+parameters.Encode(), "sns", "Publish", http.Header{}, nil).answered(published)
			r.differs(members, "Only Amazon SNS has the key with which it signs. The local run's `Signature` is empty.")
			s.delivers(s.envelope("in the query", input{"Signature": anyText}))
		}},
		{"TestSNSPublishCrud::test_publish_wrong_arn_format", "2025-11-19", func(r *Recorded) {
			for arn, elements := range map[string]string{"randomstring": "1", "randomstring:1": "2", "": "1"} {
				r.call("sns", "Publish", input{"Message": "a", "TopicArn": arn}).invalid("TopicArn" + noARN + elements)
			}
		}},
		{"TestSNSPublishCrud::test_publish_message_by_target_arn", "2025-11-19", func(r *Recorded) {
			s := r.subscribed(nil)
			s.publish("1", nil).ok()
			s.delivers(s.envelope("1", nil))
			r.call("sns", "Publish", input{"Message": "2", "TargetArn": s.topic}).ok()
			s.delivers(s.envelope("2", nil))
		}},
		{"TestSNSPublishCrud::test_publish_message_before_subscribe_topic", "2025-11-19", func(r *Recorded) {
			topic := r.snsTopic(nil)
			r.call("sns", "Publish", input{"TopicArn": topic, "Subject": "before", "Message": "a"}).answered(published)
			s := r.subscribedTo(topic, nil)
			s.publish("b", input{"Subject": "after"}).answered(published)
			s.delivers(s.envelope("b", input{"Subject": "after"}))
		}},
		{"TestSNSPublishCrud::test_unknown_topic_publish", "2025-11-19", func(r *Recorded) {
			topic := r.snsTopic(nil)
			r.call("sns", "Publish", input{"TopicArn": topic, "Message": "a"}).answered(published)
			r.call("sns", "Publish", input{"TopicArn": topic + "-fake", "Message": "a"}).
				refused(404, "NotFound", topicGone)
		}},
		{"TestSNSPublishCrud::test_topic_publish_another_region", "2025-11-19", func(r *Recorded) {
			topic := r.snsTopic(nil)
			r.call("sns", "Publish", input{"TopicArn": topic, "Message": "a"}).answered(published)
			r.call("sns", "Publish", input{"TopicArn": inOtherRegion(topic), "Message": "a"}).invalid("TopicArn")
			batch(r, inOtherRegion(topic), input{"Id": "1", "Message": "a"}).invalid("TopicArn")
		}},
		{"TestSNSPublishCrud::test_publish_non_existent_target", "2025-11-19", func(r *Recorded) {
			parts := strings.Split(r.snsTopic(nil), ":")
			parts[5] = "endpoint/APNS/abcdef/0f7d5971-aa8b-4bd5-b585-0826e9f93a66"
			r.call("sns", "Publish", input{"TargetArn": strings.Join(parts, ":"), "Message": "a"}).
				invalid("TargetArn Reason: No endpoint found for the target arn specified")
		}},
		{"TestSNSPublishCrud::test_publish_with_empty_subject", "2025-11-19", func(r *Recorded) {
			topic := r.snsTopic(nil)
			r.call("sns", "Publish", input{"TopicArn": topic, "Message": "a"}).answered(published)
			r.call("sns", "Publish", input{"TopicArn": topic, "Message": "a", "Subject": ""}).invalid("Subject")
		}},
		{"TestSNSPublishCrud::test_empty_sns_message", "2025-11-19", func(r *Recorded) {
			s := r.subscribed(nil)
			s.publish("", nil).invalid("Empty message")
			s.delivers()
		}},
		{"TestSNSPublishCrud::test_publish_too_long_message", "2025-11-19", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			s.publish(big(limit+1), nil).invalid("Message too long")
			with := input{"MessageAttributes": attribute}
			s.publish(big(limit-attributeSize+1), with).invalid("Message too long")
			s.publish(big(limit-attributeSize), with).ok()
		}},
		{"TestSNSPublishCrud::test_publish_batch_too_long_message", "2025-11-19", func(r *Recorded) {
			const tooLong = "The length of all the messages put together is more than the limit."
			topic := r.snsTopic(nil)
			batch(r, topic, input{"Id": "1", "Message": big(limit / 2)}, input{"Id": "2", "Message": big(limit/2 + 1)}).
				refused(400, "BatchRequestTooLong", tooLong)
			two := func(size int) *answer {
				return batch(r, topic, input{"Id": "1", "Message": big(size), "MessageAttributes": attribute},
					input{"Id": "2", "Message": "b"})
			}
			two(limit-attributeSize).refused(400, "BatchRequestTooLong", tooLong)
			two(limit - attributeSize - 1).ok()
		}},
		{"TestSNSPublishCrud::test_publish_batch_invalid_entry_id", "2025-12-23", func(r *Recorded) {
			const of = "The Id of a batch entry in the batch request "
			topic := r.snsTopic(nil)
			for id, text := range map[string]string{
				"message.id":            "contains an impermissible character: ",
				"msg@123#test":          "contains an impermissible character: ",
				strings.Repeat("a", 81): "is too long: ",
				strings.Repeat("b", 91): "is too long: ",
			} {
				batch(r, topic, input{"Id": id, "Message": "a"}).refused(400, "InvalidBatchEntryId", of+text+id)
			}
			for _, id := range []string{strings.Repeat("a", 80), "valid-message_123"} {
				batch(r, topic, input{"Id": id, "Message": "a"}).answered(input{
					"Successful": []input{{"Id": id, "MessageId": anyUUID}}, "Failed": emptyList,
				})
			}
		}},
		{"TestSNSPublishCrud::test_message_structure_json_exc", "2025-11-19", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			as := input{"MessageStructure": "json"}
			const noDefault = "Message Structure - No default entry in JSON message body"
			s.publish(`{"sqs":"a"}`, as).invalid(noDefault)
			s.publish(`{"default":"a"} }`, as).invalid("Message Structure - JSON message body failed to parse")
			s.publish(`{"default":"a","default":"b"}`, as).answered(published)
			s.publish(`{"default":{"object":"a"}}`, as).invalid(noDefault)
		}},
		{"TestSNSSubscriptionSQS::test_publish_batch_messages_without_topic", "2023-08-24", func(r *Recorded) {
			batch(r, r.snsTopic(nil)+"fake", input{"Id": "1", "Message": "a"}).refused(404, "NotFound", topicGone)
		}},
		// Two of its answers are about FIFO topics alone.
		{"TestSNSSubscriptionSQS::test_publish_batch_exceptions", "2023-08-24", func(r *Recorded) {
			topic := r.snsTopic(nil)
			var eleven []input
			for i := range 11 {
				eleven = append(eleven, input{"Id": fmt.Sprint("Id_", i), "Message": "a"})
			}
			batch(r, topic, eleven...).refused(400, "TooManyEntriesInBatchRequest",
				"The batch request contains more entries than permissible.")
			batch(r, topic, eleven[0], eleven[0]).refused(400, "BatchEntryIdsNotDistinct",
				"Two or more batch entries in the request have the same Id.")
			batch(r, topic, input{"Id": "1", "Message": `{"sqs":"a"}`, "MessageStructure": "json"}).
				invalid("Message Structure - No default entry in JSON message body")
		}},
		{"TestSNSSubscriptionSQS::test_empty_or_wrong_message_attributes", "2024-11-15", func(r *Recorded) {
			topic := r.snsTopic(nil)
			const (
				empty = "The message attribute 'attr1' must contain non-empty message attribute value for message " +
					"attribute type '%s'."
				field = "The message attribute 'attr1' with type '%s' must use field '%s'."
			)
			for _, c := range []struct {
				name  string
				value input
				text  string
			}{
				{"attr1", input{"DataType": "String", "StringValue": ""}, fmt.Sprintf(empty, "String")},
				{"attr1", input{"DataType": "String"}, fmt.Sprintf(empty, "String")},
				{"attr1", input{"DataType": "Binary", "BinaryValue": ""}, fmt.Sprintf(empty, "Binary")},
				{"attr1", input{"DataType": "String", "BinaryValue": "MTIz"}, fmt.Sprintf(field, "String", "String")},
				{"attr1", input{"DataType": "Number", "BinaryValue": "MTIz"}, fmt.Sprintf(field, "Number", "String")},
				{"attr1", input{"DataType": "Binary", "StringValue": "123"}, fmt.Sprintf(field, "Binary", "Binary")},
				{"attr1", snsAttribute("InvalidType", "123"), wrongAttributeType},
				{strings.Repeat("a", 257), snsAttribute("String", "123"),
					"Length of message attribute name must be less than 256 bytes."},
				{"a^*?", snsAttribute("String", "123"), "Invalid non-alphanumeric character '#x5E' was found in the " +
					"message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."},
				{".abc", snsAttribute("String", "123"),
					"Invalid message attribute name starting with character '.' was found."},
				{"abc.", snsAttribute("String", "123"),
					"Invalid message attribute name ending with character '.' was found."},
				{"a..bc", snsAttribute("String", "123"),
					"Message attribute name can not have successive '.' character."},
			} {
				attributes := input{c.name: c.value}
				in := input{"TopicArn": topic, "Message": "a", "MessageAttributes": attributes}
				r.call("sns", "Publish", in).refused(400, "ParameterValueInvalid", c.text)
				batch(r, topic, input{"Id": "1", "Message": "a", "MessageAttributes": attributes},
					input{"Id": "3", "Message": "b"}).refused(400, "ParameterValueInvalid", c.text)
			}
			untyped := input{"attr1": input{"StringValue": "value"}}
			const null = "1 validation error detected: Value null at '%smessageAttributes.attr1.member.dataType' " +
				"failed to satisfy constraint: Member must not be null"
			r.call("sns", "Publish", input{"TopicArn": topic, "Message": "a", "MessageAttributes": untyped}).
				refused(400, "ValidationError", fmt.Sprintf(null, ""))
			batch(r, topic, input{"Id": "1", "Message": "a", "MessageAttributes": untyped}).
				refused(400, "ValidationError", fmt.Sprintf(null, "publishBatchRequestEntries.1.member."))
		}},
		{"TestSNSSubscriptionSQS::test_message_attributes_prefixes", "2023-08-24", func(r *Recorded) {
			s := r.subscribed(nil)
			of := func(kind string) *answer {
				return s.publish("a", input{"MessageAttributes": input{"attr1": snsAttribute(kind, "b")}})
			}
			of("String.").refused(400, "ParameterValueInvalid", wrongAttributeType)
			of("Stringprefixed").refused(400, "ParameterValueInvalid", wrongAttributeType)
			of("String.prefixed").answered(published)
			of("String.  prefixed.").answered(published)
		}},
	})
}

const wrongAttributeType = "The message attribute 'attr1' has an invalid message attribute type, the set of " +
	"supported type prefixes is Binary, Number, and String."
