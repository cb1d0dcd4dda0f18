package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"restock/infra/graph"
	"restock/local/aws/async"
	"restock/local/aws/awsapi"
	"restock/local/aws/eventbridge"
	"restock/local/aws/scheduler"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/aws/standin"
	"restock/local/view/events"
)

// eventBridge is the service that invokes the targets of rules.
const eventBridge = "events.amazonaws.com"

// eventRules returns the stand-in for EventBridge. It has event buses only if the program uses one.
func (r *Run) eventRules(g *graph.Graph, s *services) standin.StandIn {
	rules := standin.StandIn{
		Service: "events", Name: "EventBridge",
		Types: []graph.Type{graph.EventBus, graph.EventRule, graph.EventTarget},
	}
	var buses *eventbridge.Service
	if len(g.OfType(graph.EventBus)) > 0 || slices.ContainsFunc(g.OfType(graph.EventRule), hasPattern) {
		buses = eventbridge.New(g.Region, r.config.Log.With("part", "events"))
		rules.APIs = []awsapi.Service{buses.API()}
		rules.Nodes = eventbridge.Nodes
	}
	rules.Start = func(g *graph.Graph) error { return r.startRules(g, s, buses) }
	return rules
}

func hasPattern(rule *graph.Resource) bool { return rule.String("eventPattern") != "" }

// startRules starts the rules with a schedule, and those with a pattern.
func (r *Run) startRules(g *graph.Graph, s *services, buses *eventbridge.Service) error {
	var patterns []eventbridge.Rule
	var invocations sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	r.onClose("invocations by events", func(context.Context) error { cancel(); invocations.Wait(); return nil })
	for _, target := range g.OfType(graph.EventTarget) {
		rule := g.RuleOf(target)
		if rule == nil {
			return fmt.Errorf("target %s: the stack lacks the rule %q (%s)", target.Name, target.String("rule"),
				target.Source)
		}
		if rule.String("state") == "DISABLED" || rule.Outputs["isEnabled"] == false {
			r.config.Log.Warn("the rule is disabled: nothing invokes its target", "part", "events",
				"rule", rule.String("arn"), "target", target.String("arn"), "declared_in", rule.Source)
			continue
		}
		if hasPattern(rule) {
			pattern, err := s.patternRule(ctx, &invocations, g, rule, target)
			if err != nil && r.config.Program.Dir == "" {
				return fmt.Errorf("target %s: %w (%s)", target.Name, err, target.Source)
			}
			if err != nil {
				r.warnNotRun(target, err.Error())
				continue
			}
			patterns = append(patterns, pattern)
		}
		if expression := rule.String("scheduleExpression"); expression != "" {
			if err := r.startSchedule(g, s, rule, target); err != nil {
				return err
			}
		}
	}
	if buses != nil {
		buses.Start(patterns)
	}
	return nil
}

// startSchedule starts the schedule of a rule for one of its targets.
func (r *Run) startSchedule(g *graph.Graph, s *services, rule, target *graph.Resource) error {
	f := (*s.functions.Load())[target.String("arn")]
	switch {
	case f == nil && r.config.Program.Dir != "":
		r.warnNotRun(target, "the run's schedules invoke functions of the stack only, not "+target.String("arn"))
		return nil
	case f == nil:
		return fmt.Errorf("schedule %s: the stack lacks the function %q", target.Name, target.String("arn"))
	}
	if err := errors.Join(unset(rule, "state", "ENABLED"), unset(target, "input", nil)); err != nil {
		return err
	}
	schedule, err := scheduler.Start(scheduler.Rule{
		ARN: rule.String("arn"), Expression: rule.String("scheduleExpression"),
		Region: g.Region, AccountID: graph.AccountID,
		Function: s.by(f, eventBridge, rule.String("arn")),
	}, r.config.Log.With("part", "scheduler", "function", f.Name))
	if err != nil {
		return fmt.Errorf("schedule %s: %w", target.Name, err)
	}
	r.schedules = append(r.schedules, schedule)
	r.onClose("schedule", func(context.Context) error { schedule.Close(); return nil })
	return nil
}

// patternRule returns a rule with a pattern for one of its targets. Functions run until ctx ends,
// and are a part of invocations.
func (s *services) patternRule(ctx context.Context, invocations *sync.WaitGroup, g *graph.Graph,
	rule, target *graph.Resource,
) (of eventbridge.Rule, err error) {
	of.Bus = rule.String("eventBusName")
	if of.Pattern, err = sns.ParsePattern(rule.String("eventPattern")); err != nil {
		return of, fmt.Errorf("reading its rule's eventPattern: %w", err)
	}
	for _, property := range []string{"deadLetterConfig", "inputPath", "inputTransformer", "roleArn"} {
		if target.Outputs[property] != nil {
			return of, fmt.Errorf("the run does not support its %s", property)
		}
	}
	arn, source := target.String("arn"), rule.String("arn")
	log := s.log.With("part", "events", "rule", source, "target", arn)
	var deliver func(ctx context.Context, event []byte) error
	if f := (*s.functions.Load())[arn]; f != nil {
		deliver = func(_ context.Context, event []byte) error {
			invocations.Go(func() {
				async.Invocation{
					What: "invocation by an event", Function: s.by(f, eventBridge, source), Event: event, Log: log,
					Done: events.MessageDelivered, Failed: events.MessageLost,
				}.Run(ctx)
			})
			return nil
		}
	} else if g.Find(graph.Queue, "arn", arn) != nil {
		deliver = func(request context.Context, event []byte) error {
			queue := s.sqs.Queue(arn)
			if queue == nil {
				return errors.New("a client has deleted the queue")
			}
			_, err := queue.SendContext(request, sqs.SendInput{Body: string(event)})
			return err
		}
		deliver = s.allowed(source, "sqs:SendMessage", arn, deliver)
	} else if g.Find(graph.Topic, "arn", arn) != nil {
		deliver = func(request context.Context, event []byte) error {
			topic := s.topics.Topic(arn)
			if topic == nil {
				return errors.New("a client has deleted the topic")
			}
			_, err := topic.PublishContext(request, sns.Notification{Message: string(event)})
			return err
		}
		deliver = s.allowed(source, "sns:Publish", arn, deliver)
	} else {
		return of, fmt.Errorf("the run passes events on to functions, queues and topics of the stack, not to %s", arn)
	}
	of.Send = func(request context.Context, event []byte) {
		if constant := target.String("input"); constant != "" {
			event = []byte(constant)
		}
		if err := deliver(request, event); err != nil {
			log.WarnContext(request, "an event could not be delivered: it is lost", events.MessageLost.Attr(),
				"error", err)
		}
	}
	return of, nil
}

// allowed returns a delivery that needs a permission of EventBridge on behalf of a rule.
func (s *services) allowed(rule, action, resource string, deliver func(context.Context, []byte) error,
) func(context.Context, []byte) error {
	return func(ctx context.Context, event []byte) error {
		if err := s.authority.AuthorizeService(eventBridge, rule, action, resource); err != nil {
			return err
		}
		return deliver(ctx, event)
	}
}
