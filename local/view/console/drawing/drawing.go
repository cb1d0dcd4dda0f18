// Package drawing draws a recorded Pulumi program as the console's picture: a node for each part
// that the program declares, and an edge where messages or calls go from one part to another.
package drawing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
	"restock/local/aws/standin"
	"restock/local/view/console"
)

// people is the name of the node of who gets e-mails.
const people = "people"

// Outside is what the program does not declare, and the picture shows.
type Outside struct {
	Callers string            // who calls the HTTP API; empty for nobody
	Servers map[string]string // URLs of the outside servers by name
}

// Draw returns the picture of a program that was recorded with the addresses of the local run. The
// nodes of the stand-ins say how to draw their resources. The error is that of a policy that does
// not parse.
func Draw(g *graph.Graph, standIns []standin.StandIn, outside Outside) (console.Graph, error) {
	policies, err := declared.Read(g)
	if err != nil {
		return console.Graph{}, fmt.Errorf("drawing the stack: %w", err)
	}
	d := &drawing{program: g, policies: policies, byARN: map[string]string{}, dead: map[string]bool{}}
	d.Routes = map[string]string{}
	for _, r := range slices.Concat(g.OfType(graph.Queue), g.OfType(graph.TopicSubscription)) {
		if target, _ := deadLetters(r); target != "" {
			d.dead[target] = true
		}
	}
	d.functions()
	for _, s := range standIns {
		for _, n := range s.Nodes {
			d.standIn(s, n)
		}
	}
	d.subscriptions()
	d.queues()
	d.api(outside.Callers)
	d.alarms()
	d.schedules()
	d.rotations()
	d.database()
	for _, name := range slices.Sorted(maps.Keys(outside.Servers)) {
		d.outside(name, outside.Servers[name])
	}
	return d.Graph, nil
}

// A drawing is an unfinished picture.
type drawing struct {
	console.Graph
	program  *graph.Graph
	policies *declared.Policies
	byARN    map[string]string // ids of nodes by ARN
	dead     map[string]bool   // ARNs of dead-letter queues
}

// standIn draws resources of a stand-in, and the functions that may call it.
func (d *drawing) standIn(s standin.StandIn, n standin.Node) {
	granted := func(node, arn string) {
		if len(n.Calls) == 0 {
			d.anyGrant(node, s.Service, arn)
		}
		for _, c := range n.Calls {
			d.granted(node, arn, c.Action, c.Label)
		}
	}
	if n.Shared != nil {
		arns := n.Shared(d.program)
		if len(arns) == 0 {
			return
		}
		node := d.place(console.Node{
			Kind: n.Kind, Label: n.Kind, Detail: fmt.Sprintf("%d stored", len(arns)), Name: n.Kind,
			Service: s.Service,
		})
		for _, arn := range arns {
			granted(node, arn)
		}
		return
	}
	for _, r := range d.program.OfType(n.Type) {
		kind, detail := n.Kind, ""
		if d.dead[r.String("arn")] {
			kind = console.KindDeadLetterQueue
		}
		if n.Detail != nil {
			detail = n.Detail(r)
		}
		granted(d.node(s.Service, kind, r, detail), r.String("arn"))
	}
}

// node adds the node of a resource of a service.
func (d *drawing) node(service, kind string, r *graph.Resource, detail string) string {
	return d.place(console.Node{
		Kind: kind, Label: r.Name, Detail: detail, Service: service,
		Name: cmp.Or(r.String("name"), r.Name), ARN: r.String("arn"),
	})
}

func (d *drawing) place(n console.Node) (id string) {
	n.ID = console.NodeID(n.Kind, n.Name)
	d.Nodes = append(d.Nodes, n)
	if n.ARN != "" {
		d.byARN[n.ARN] = n.ID
	}
	return n.ID
}

// once adds a node of which the picture has one, unless it has it already.
func (d *drawing) once(kind, name, label, detail string) string {
	id := console.NodeID(kind, name)
	if !slices.ContainsFunc(d.Nodes, func(n console.Node) bool { return n.ID == id }) {
		d.place(console.Node{Kind: kind, Label: label, Detail: detail, Name: name})
	}
	return id
}

// edge adds an edge. If the picture has the edge already, edge adds the label to its label.
func (d *drawing) edge(from, to, label string) {
	if from == "" || to == "" {
		return
	}
	id := console.EdgeID(from, to)
	for i, e := range d.Edges {
		if e.ID == id {
			if label != "" {
				d.Edges[i].Label = strings.TrimPrefix(e.Label+", "+label, ", ")
			}
			return
		}
	}
	d.Edges = append(d.Edges, console.Edge{ID: id, From: from, To: to, Label: label})
}

func (d *drawing) functions() {
	for _, r := range d.program.OfType(graph.Function) {
		detail := fmt.Sprintf("%v MB, timeout %v s", r.Number("memorySize"), r.Number("timeout"))
		d.node("lambda", console.KindFunction, r, detail)
		if d.program.Find(graph.Invocation, "functionName", r.String("name")) != nil {
			d.Nodes[len(d.Nodes)-1].Deploys = true
		}
	}
}

// subscriptions draws the queues and the people who subscribe to topics.
func (d *drawing) subscriptions() {
	for _, r := range d.program.OfType(graph.TopicSubscription) {
		topic := d.byARN[r.String("topic")]
		switch r.String("protocol") {
		case "email":
			d.edge(topic, d.once(console.KindPeople, people, people, "by e-mail"), "")
		case "sqs":
			d.edge(topic, d.byARN[r.String("endpoint")], "")
		}
		if target, _ := deadLetters(r); target != "" {
			d.edge(topic, d.byARN[target], "undeliverable")
		}
	}
}

// queues draws the consumers and the dead-letter queues of queues.
func (d *drawing) queues() {
	for _, r := range d.program.OfType(graph.Queue) {
		if target, receives := deadLetters(r); target != "" {
			d.edge(d.byARN[r.String("arn")], d.byARN[target], fmt.Sprintf("after %d receives", receives))
		}
	}
	for _, r := range d.program.OfType(graph.EventSourceMapping) {
		label := ""
		if size := r.Number("batchSize"); size > 0 {
			label = fmt.Sprintf("batches of up to %v", size)
		}
		d.edge(d.byARN[r.String("eventSourceArn")], d.byARN[r.String("functionName")], label)
	}
}

// deadLetters returns the dead-letter queue in the redrive policy of a queue or a subscription, and
// the number of receives before a message goes there.
func deadLetters(r *graph.Resource) (arn string, receives int) {
	var policy struct {
		Target   string `json:"deadLetterTargetArn"`
		Receives int    `json:"maxReceiveCount"`
	}
	_ = json.Unmarshal([]byte(r.String("redrivePolicy")), &policy) // the run refuses a policy that does not parse
	return policy.Target, policy.Receives
}

// granted draws an edge to a node from each function whose role may do an action on its resource.
func (d *drawing) granted(node, arn, action, label string) {
	for _, f := range d.program.OfType(graph.Function) {
		if d.may(f, action, arn) {
			d.edge(d.byARN[f.String("arn")], node, label)
		}
	}
}

// anyGrant draws an edge to a node from each function whose role may do anything of a service with
// its resource. The label has the actions.
func (d *drawing) anyGrant(node, service, arn string) {
	for _, f := range d.program.OfType(graph.Function) {
		actions, granted := map[string]bool{}, false
		for _, document := range d.policies.Of(f.String("role"), "").Identity {
			for _, s := range document.Statements {
				if s.Effect != "Allow" || !s.Names(service, arn) {
					continue
				}
				granted = true
				for _, action := range s.Action {
					// IAM ignores the case of actions.
					if of, name, ok := strings.Cut(action, ":"); ok && strings.EqualFold(of, service) {
						actions[name] = true
					}
				}
			}
		}
		if granted {
			d.edge(d.byARN[f.String("arn")], node, strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
		}
	}
}

// may reports whether the policies allow a function's role an action on a resource.
func (d *drawing) may(f *graph.Resource, action, arn string) bool {
	role := f.String("role")
	return d.policies.Of(role, arn).Evaluate(evaluation.ByRole(role, role, action, arn)).Allowed
}

// api draws the HTTP API, its callers and the functions of its routes.
func (d *drawing) api(callers string) {
	for _, api := range d.program.OfType(graph.API) {
		id := d.node("execute-api", console.KindAPI, api, api.String("apiEndpoint"))
		if callers != "" {
			d.edge(d.once(console.KindCallers, callers, callers, ""), id, "")
		}
		for _, route := range d.program.OfType(graph.APIRoute) {
			if route.String("apiId") != api.ID {
				continue
			}
			if target := d.target(route); target != "" {
				d.Routes[route.String("routeKey")] = target
				d.edge(id, target, route.String("routeKey"))
			}
		}
	}
}

// target returns the function or the queue of a route's integration, or "".
func (d *drawing) target(route *graph.Resource) string {
	integration := d.program.Integration(route)
	if integration == nil {
		return ""
	}
	if f := d.program.Invoked(integration); f != nil {
		return d.byARN[f.String("arn")]
	}
	url, _ := integration.Object("requestParameters")["QueueUrl"].(string)
	if q := d.program.Find(graph.Queue, "url", url); q != nil {
		return d.byARN[q.String("arn")]
	}
	return ""
}

// alarms draws the alarms of each topic that they notify as one node.
func (d *drawing) alarms() {
	declared := slices.Concat(d.program.OfType(graph.MetricAlarm), d.program.OfType(graph.CompositeAlarm))
	for _, topic := range d.program.OfType(graph.Topic) {
		notify := 0
		for _, alarm := range declared {
			if slices.Contains(alarm.Strings("alarmActions"), topic.String("arn")) {
				notify++
			}
		}
		if notify == 0 {
			continue
		}
		name := topic.Name + " alarms"
		id := d.once(console.KindAlarms, name, fmt.Sprintf("%d alarms", notify), "not run here")
		d.edge(id, d.byARN[topic.String("arn")], "notify")
	}
}

// schedules draws the rules of EventBridge that have a target: schedules, and rules with a pattern
// of events.
func (d *drawing) schedules() {
	for _, target := range d.program.OfType(graph.EventTarget) {
		rule := d.program.RuleOf(target)
		if rule == nil {
			continue
		}
		id := d.byARN[rule.String("arn")]
		if id == "" {
			kind, detail := console.KindSchedule, rule.String("scheduleExpression")
			if detail == "" {
				kind, detail = console.KindRule, "a pattern of events"
			}
			id = d.node("events", kind, rule, detail)
			if bus := d.program.Find(graph.EventBus, "name", rule.BusName()); bus != nil {
				d.edge(d.byARN[bus.String("arn")], id, "")
			}
		}
		d.edge(id, d.byARN[target.String("arn")], "")
	}
}

// rotations draws the functions that rotate secrets.
func (d *drawing) rotations() {
	for _, r := range d.program.OfType(graph.SecretRotation) {
		d.edge(d.Only(console.KindSecrets), d.byARN[r.String("rotationLambdaArn")], "rotates")
	}
}

// database draws the database and the functions that have its address in their environment.
func (d *drawing) database() {
	for _, r := range d.program.OfType(graph.Database) {
		id := d.place(console.Node{
			Kind: console.KindDatabase, Label: r.Name, Detail: r.String("engine") + " " + r.String("engineVersion"),
			Name: cmp.Or(r.String("identifier"), r.Name), ARN: r.String("arn"),
		})
		hosts := []string{r.String("address")}
		for _, proxy := range d.program.OfType(graph.Proxy) {
			hosts = append(hosts, proxy.String("endpoint"))
		}
		for _, f := range d.program.OfType(graph.Function) {
			if slices.ContainsFunc(environment(f), func(value string) bool { return slices.Contains(hosts, value) }) {
				d.edge(d.byARN[f.String("arn")], id, "")
			}
		}
	}
}

// outside draws an outside server if a function's environment has its URL. The name of the server
// is the kind of its node. If that function knows the API's URL too, it passes the URL on, so that
// the server can call back.
func (d *drawing) outside(name, url string) {
	for _, f := range d.program.OfType(graph.Function) {
		values := environment(f)
		if !slices.ContainsFunc(values, func(value string) bool { return strings.HasPrefix(value, url) }) {
			continue
		}
		id := d.once(name, name, name, url)
		d.edge(d.byARN[f.String("arn")], id, "")
		for _, api := range d.program.OfType(graph.API) {
			if slices.Contains(values, api.String("apiEndpoint")) {
				d.edge(id, console.NodeID(console.KindAPI, cmp.Or(api.String("name"), api.Name)), "calls back")
			}
		}
	}
}

// environment returns the values of a function's environment variables.
func environment(f *graph.Resource) (values []string) {
	variables, _ := f.Object("environment")["variables"].(map[string]any)
	for _, value := range variables {
		values = append(values, fmt.Sprint(value))
	}
	return values
}
