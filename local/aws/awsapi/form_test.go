package awsapi

import (
	"encoding/xml"
	"net/url"
	"reflect"
	"testing"
)

func TestDecodeForm(t *testing.T) {
	type value struct {
		DataType    string
		BinaryValue []byte
	}
	type entry struct {
		Name  string
		Value value
	}
	type message struct {
		Body    string
		Entries []entry `xml:"Attributes>entry"`
	}
	type input struct {
		TopicARN string `xml:"TopicArn"`
		message
		Batch []message `xml:"Batch>member"`
		Names []string  `xml:"Names>member,omitempty"`
		Empty []string  `xml:"Empty>member"`
		Force bool
		Wait  *int
		Delay *int
		Flat  FlatMap[value]    `xml:"Flat"`
		Tags  map[string]string `xml:"Tag"`
	}
	form := url.Values{}
	for name, text := range map[string]string{
		"Action": "Do", "Version": "1", "TopicArn": "arn", "Body": "b", "Force": "true",
		"Attributes.entry.1.Name": "n1", "Attributes.entry.1.Value.DataType": "Binary",
		"Attributes.entry.1.Value.BinaryValue": "AAE=",
		"Attributes.entry.2.Name":              "n2",
		"Batch.member.1.Body":                  "one", "Batch.member.2.Body": "two",
		"Batch.member.2.Attributes.entry.1.Name": "n",
		"Names.member.1":                         "x", "Names.member.2": "y", "Empty": "", "Wait": "0",
		"Flat.1.Name": "f1", "Flat.1.Value.DataType": "String", "Flat.2.Name": "f2",
		"Tag.1.Key": "k1", "Tag.1.Value": "v1", "Tag.2.Key": "k2", "Tag.2.Value": "",
	} {
		form.Set(name, text)
	}
	var got input
	if err := decodeForm(form, &got); err != nil {
		t.Fatal(err)
	}
	want := input{
		TopicARN: "arn",
		message:  message{Body: "b", Entries: []entry{{"n1", value{"Binary", []byte{0, 1}}}, {Name: "n2"}}},
		Batch:    []message{{Body: "one"}, {Body: "two", Entries: []entry{{Name: "n"}}}},
		Names:    []string{"x", "y"},
		Force:    true,
		Wait:     new(int),
		Flat:     FlatMap[value]{"f1": {DataType: "String"}, "f2": {}},
		Tags:     map[string]string{"k1": "v1", "k2": ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}

	for name, text := range map[string]string{"Attributes.entry.1.Value.BinaryValue": "%%", "Force": "maybe",
		"Batch.member.3.Body": "a gap before it", "Flat.2.Name": "a gap before it", "Flat.1": "no name", "Wait": "long",
		"Tag.1.Name.x": "y"} {
		form := url.Values{name: {text}}
		if err := decodeForm(form, &input{}); err == nil {
			t.Errorf("decodeForm(%v): got no error", form)
		}
	}
}

func TestFlatMapInXML(t *testing.T) {
	got, err := xml.Marshal(struct {
		XMLName    xml.Name        `xml:"Result"`
		Attributes FlatMap[string] `xml:"Attribute"`
		None       FlatMap[string] `xml:"None"`
	}{Attributes: FlatMap[string]{"b": "<2>", "a": "1"}})
	const want = "<Result><Attribute><Name>a</Name><Value>1</Value></Attribute>" +
		"<Attribute><Name>b</Name><Value>&lt;2&gt;</Value></Attribute></Result>"
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
