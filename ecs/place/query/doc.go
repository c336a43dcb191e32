// Package query is ECS's cluster query language: the expressions of memberOf constraints and of ListContainerInstances' filter.
//
// Guarantees:
//
//   - Parse answers an expression or an error that names what is wrong and where. An expression that parsed always evaluates.
//   - Evaluation is pure and takes time linear in the expression and in the facts it asks for.
//   - A comparison with a fact that an instance does not have is false, also a negative one (!=, !in, !~), as in ECS; "!exists" is how to ask
//     for its absence, and "not(...)" turns any answer around.
//   - An instance has as many task groups as its tasks have. A comparison asks whether one of them is so; a negative one, whether none is.
//   - A subject has the operators that ECS gives it, and its argument the form that it can have: a number, a date, anything.
//
// The language:
//
//	expression = term { ("and" | "or" | "&&" | "||") term }    and binds closer than or
//	term       = ["not" | "!"] "(" expression ")" | ("not" | "!") term | comparison
//	comparison = subject operator argument
//	subject    = "attribute:" name | agentConnected | agentVersion | ec2InstanceId | registeredAt | runningTasksCount | task:group
//	argument   = value | "[" value { "," value } "]" for in and !in | nothing for exists and !exists
package query
