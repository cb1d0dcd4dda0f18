package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Values that AWS chooses.
var (
	anyUUID    = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyText    = regexp.MustCompile(`\S+`)
	anySeconds = regexp.MustCompile(`\d{10}`)
	anyMillis  = regexp.MustCompile(`\d{13}`)
)

// A few tests of SQS record no answers, but assert what AWS answered. Their facts come from the
// assertions, and from the fact that a call succeeded.

// inBothProtocols returns two recordings for each whose test's name has "[*". AWS answered these
// tests in the JSON protocol ("[sqs") and in the query protocol of SDKs before November 2023
// ("[sqs_query").
func inBothProtocols(recordings []recording) []recording {
	var both []recording
	for _, rec := range recordings {
		if !strings.Contains(rec.test, "[*") {
			both = append(both, rec)
			continue
		}
		for _, client := range []string{"[sqs", "[sqs_query"} {
			both = append(both, recording{strings.Replace(rec.test, "[*", client, 1), rec.date, rec.run})
		}
	}
	return both
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (r *Recorded) inQueryProtocol() bool { return strings.Contains(r.recording.test, "[sqs_query") }

// sqs calls SQS in the protocol of the recording.
func (r *Recorded) sqs(operation string, in input) *answer {
	r.Helper()
	return r.call("sqs", operation, in)
}

// callSQSQuery calls SQS in the query protocol.
func (r *Recorded) callSQSQuery(operation string, in input) *answer {
	r.Helper()
	form := url.Values{"Action": {operation}, "Version": {"2012-11-05"}}
	addToSQSForm(form, operation, "", in)
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	a := r.send("sqs", operation, header, []byte(form.Encode()))
	a.service = "sqs (query)"
	return a
}

// addToSQSForm adds members to a form. Lists and maps have no elements around them, unlike SNS's.
func addToSQSForm(form url.Values, operation, prefix string, in input) {
	for name, value := range in {
		single := prefix + strings.TrimSuffix(name, "s")
		switch v := value.(type) {
		case attributeMap:
			of := "Name"
			if name == "Tags" {
				of = "Key"
			}
			for n, key := range sortedKeys(v) {
				form.Set(fmt.Sprintf("%s.%d.%s", single, n+1, of), key)
				form.Set(fmt.Sprintf("%s.%d.Value", single, n+1), v[key])
			}
		case input:
			for n, key := range sortedKeys(v) {
				form.Set(fmt.Sprintf("%s.%d.Name", single, n+1), key)
				addToSQSForm(form, operation, fmt.Sprintf("%s.%d.Value.", single, n+1), v[key].(input))
			}
		case []input: // Entries
			for n, entry := range v {
				addToSQSForm(form, operation, fmt.Sprintf("%sRequestEntry.%d.", operation, n+1), entry)
			}
		case []string:
			for n, member := range v {
				form.Set(fmt.Sprintf("%s.%d", single, n+1), member)
			}
		default:
			form.Set(prefix+name, fmt.Sprint(v))
		}
	}
}

// unflattened returns the result in an XML answer of SQS as JSON would have it.
func unflattened(operation string, root element) map[string]any {
	for _, child := range root.Children {
		if child.XMLName.Local == operation+"Result" {
			root = child
		}
	}
	object := map[string]any{}
	for _, child := range root.Children {
		name, list, entries := child.XMLName.Local, "", ""
		switch {
		case name == "Attribute" || name == "MessageAttribute" || name == "Tag":
			entries = name + "s"
		case name == "Message" && len(child.Children) > 0:
			list = "Messages"
		case name == "QueueUrl" && operation == "ListQueues":
			list = "QueueUrls"
		case name == operation+"ResultEntry":
			list = "Successful"
		case name == "BatchResultErrorEntry":
			list = "Failed"
		case name == "ResponseMetadata":
			continue
		}
		var value any = child.Text
		if len(child.Children) > 0 {
			value = unflattened("", child)
		}
		switch {
		case entries != "":
			entry := value.(map[string]any)
			if object[entries] == nil {
				object[entries] = map[string]any{}
			}
			key, isTag := entry["Key"].(string)
			if !isTag {
				key = entry["Name"].(string)
			}
			object[entries].(map[string]any)[key] = entry["Value"]
		case list != "":
			members, _ := object[list].([]any)
			object[list] = append(members, value)
		default:
			object[name] = value
		}
	}
	return object
}

// failed is like refused, and in the JSON protocol also checks the type of the error, which SDKs
// map to a class of exceptions. code is the former code, which they report.
func (a *answer) failed(status int, code, text string) {
	a.r.Helper()
	a.refused(status, code, text)
	if a.r.inQueryProtocol() {
		return
	}
	kind, renamed := map[string]string{
		"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
		"InvalidParameterValue":                   "InvalidParameterValueException",
		"MissingParameter":                        "MissingRequiredParameterException",
		"QueueAlreadyExists":                      "QueueNameExists",
	}[code]
	if !renamed {
		kind = strings.TrimPrefix(code, "AWS.SimpleQueueService.")
	}
	a.r.fact(a.service, a.operation, members, "__type", a.members["__type"], "com.amazonaws.sqs#"+kind)
}

// queue creates a queue with attributes, and returns its URL and its ARN.
func (r *Recorded) queue(attributes attributeMap) (url, arn string) {
	r.Helper()
	url = r.sqs("CreateQueue", input{"QueueName": unique("queue"), "Attributes": attributes}).ok().text("QueueUrl")
	r.Cleanup(func() { r.sqs("DeleteQueue", input{"QueueUrl": url}) })
	got, _ := r.attributes(url, "QueueArn").ok().members["Attributes"].(map[string]any)
	arn, _ = got["QueueArn"].(string)
	return url, arn
}

func (r *Recorded) attributes(url string, names ...string) *answer {
	r.Helper()
	return r.sqs("GetQueueAttributes", input{"QueueUrl": url, "AttributeNames": names})
}

// redrivePolicy returns the attributes of a queue whose messages go to a dead-letter queue.
func redrivePolicy(deadLetterQueue string, maxReceiveCount int) attributeMap {
	policy, _ := json.Marshal(map[string]any{
		"deadLetterTargetArn": deadLetterQueue, "maxReceiveCount": maxReceiveCount,
	})
	return attributeMap{"RedrivePolicy": string(policy)}
}

// sendMessage sends a message and returns its id.
func (r *Recorded) sendMessage(url, body string) (id string) {
	r.Helper()
	return r.sqs("SendMessage", input{"QueueUrl": url, "MessageBody": body}).ok().text("MessageId")
}

// receive receives with parameters of ReceiveMessage.
func (r *Recorded) receive(url string, parameters input) *answer {
	r.Helper()
	in := input{"QueueUrl": url}
	for name, value := range parameters {
		in[name] = value
	}
	return r.sqs("ReceiveMessage", in)
}

// messages returns the messages of an answer of ReceiveMessage.
func (a *answer) messages() (messages []map[string]any) {
	list, _ := a.members["Messages"].([]any)
	for _, m := range list {
		messages = append(messages, m.(map[string]any))
	}
	return messages
}

// received is a received message with a body, and with other members.
func received(id any, body string, others ...input) exactly {
	m := exactly{"MessageId": id, "ReceiptHandle": anyText, "Body": body, "MD5OfBody": md5Of(body)}
	for _, other := range others {
		for name, value := range other {
			m[name] = value
		}
	}
	return m
}

// eventually waits until an answer has what a recording needs. It ends the recording after 2
// minutes, far longer than a slow machine needs.
func (r *Recorded) eventually(what string, condition func() bool) {
	r.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("waited 2 minutes in vain until %s", what)
		}
	}
}

// visible waits until a queue has messages that can be received.
func (r *Recorded) visible(url string, messages int) {
	r.Helper()
	r.eventually(fmt.Sprintf("%d messages are visible", messages), func() bool {
		got := r.attributes(url, "ApproximateNumberOfMessages").ok().members["Attributes"]
		return match(got, attributeMap{"ApproximateNumberOfMessages": fmt.Sprint(messages)}) == nil
	})
}

// bodies returns the bodies of messages, sorted.
func bodies(messages []map[string]any) []string {
	var all []string
	for _, m := range messages {
		all = append(all, fmt.Sprint(m["Body"]))
	}
	slices.Sort(all)
	return all
}
