package console

import "restock/local/aws/sqs"

// Kinds of nodes. The page has an icon for each.
const (
	KindCallers         = "callers"
	KindAlarms          = "alarms"
	KindAPI             = "api"
	KindFunction        = "function"
	KindTopic           = "topic"
	KindQueue           = "queue"
	KindDeadLetterQueue = "dead-letter-queue"
	KindDatabase        = "database"
	KindSecrets         = "secrets"
	KindSchedule        = "schedule"
	KindFactory         = "factory"
	KindPeople          = "people"

	// Of services that an emulator answers, and of EventBridge.
	KindBucket       = "bucket"
	KindTable        = "table"
	KindParameter    = "parameter"
	KindEventBus     = "event-bus"
	KindRule         = "rule"
	KindStateMachine = "state-machine"
	KindKey          = "key"
)

// A Graph is a picture of the stack: its parts, and the ways of messages and calls between them.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`

	// Routes are the ids of the functions' nodes by the route keys of the HTTP API.
	Routes map[string]string `json:"-"`
}

// Only returns the id of the first node of a kind, or "". It is for kinds of which a stack has one.
func (g Graph) Only(kind string) string {
	for _, n := range g.Nodes {
		if n.Kind == kind {
			return n.ID
		}
	}
	return ""
}

// ofService returns the id of the node that stands for a whole service, such as all secrets. It
// returns "" for a service whose resources have names of their own in the picture.
func (g Graph) ofService(service string) string {
	for _, n := range g.Nodes {
		if service != "" && n.Service == service && n.ARN == "" {
			return n.ID
		}
	}
	return ""
}

// A Node is a part of the stack.
type Node struct {
	ID     string `json:"id"` // see NodeID
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Detail string `json:"detail,omitempty"`

	// Deploys says that the deployment invokes the function. The page draws it outside the flow of
	// messages.
	Deploys bool `json:"deploys,omitempty"`

	// Service is the service of AWS that the node belongs to, as in ARNs.
	Service string `json:"service,omitempty"`

	Name string `json:"-"` // the name in the run's log
	ARN  string `json:"-"` // may be empty
}

// An Edge is a way of messages or calls from one node to another.
type Edge struct {
	ID    string `json:"id"` // see EdgeID
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label,omitempty"`
}

// NodeID returns the id of a node: its kind, a colon and its name.
func NodeID(kind, name string) string { return kind + ":" + name }

// EdgeID returns the id of the edge between two nodes: their ids, with ">" in between.
func EdgeID(from, to string) string { return from + ">" + to }

// A picture indexes a graph. Its methods return the id of a node or of an edge, or "".
type picture struct {
	graph Graph
	nodes map[string]Node     // by id
	named map[string][]string // ids by name and by ARN
	edges map[string]bool     // by id
}

func newPicture(g Graph) *picture {
	if len(g.Nodes) > 0 && g.Edges == nil {
		g.Edges = []Edge{} // the page expects a list
	}
	p := &picture{graph: g, nodes: map[string]Node{}, named: map[string][]string{}, edges: map[string]bool{}}
	for _, n := range g.Nodes {
		p.nodes[n.ID] = n
		p.named[n.Name] = append(p.named[n.Name], n.ID)
		if n.ARN != "" {
			p.named[n.ARN] = append(p.named[n.ARN], n.ID)
		}
	}
	for _, e := range g.Edges {
		p.edges[e.ID] = true
	}
	return p
}

// find returns the node that has one of the kinds, and a name or an ARN.
func (p *picture) find(nameOrARN string, kinds ...string) string {
	for _, id := range p.named[nameOrARN] {
		for _, kind := range kinds {
			if p.nodes[id].Kind == kind {
				return id
			}
		}
	}
	return ""
}

func (p *picture) queue(nameOrARN string) string {
	return p.find(nameOrARN, KindQueue, KindDeadLetterQueue)
}

// edge returns the edge from one node to another.
func (p *picture) edge(from, to string) string {
	if id := EdgeID(from, to); p.edges[id] {
		return id
	}
	return ""
}

// between returns the edge that joins two nodes, in either direction.
func (p *picture) between(a, b string) string {
	if id := p.edge(a, b); id != "" {
		return id
	}
	return p.edge(b, a)
}

// onlyEdge returns the edge into a node from a node of a kind, if there is exactly one.
func (p *picture) onlyEdge(kind, to string) (found string) {
	for _, e := range p.graph.Edges {
		if e.To == to && p.nodes[e.From].Kind == kind {
			if found != "" {
				return ""
			}
			found = e.ID
		}
	}
	return found
}

// firstEdge returns the first edge from a node to a node of a service: of AWS, or the words
// "database" or "internet".
func (p *picture) firstEdge(from, service string) string {
	kinds := map[string]string{"database": KindDatabase, "internet": KindFactory}
	for _, e := range p.graph.Edges {
		to := p.nodes[e.To]
		if e.From == from && (to.Kind == kinds[service] || to.Service != "" && to.Service == service) {
			return e.ID
		}
	}
	return ""
}

// deadLetterQueues returns the queues that the picture shows as dead-letter queues.
func (p *picture) deadLetterQueues(queues []*sqs.Queue) (found []*sqs.Queue) {
	for _, q := range queues {
		if p.find(q.ARN(), KindDeadLetterQueue) != "" {
			found = append(found, q)
		}
	}
	return found
}
