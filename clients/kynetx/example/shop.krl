ruleset shop {
  meta {
    use module com.errorstack.client alias errors with
      key = "KEY"
      endpoint = "https://errors.example.com"
      release = "2.4.1"
      environment = "production"
  }

  rule order {
    select when shop order
    if event:attrs{"total"}.as("Number") > 0 then
      errors:log("order " + event:attrs{"id"})
    notfired {
      error error "order " + event:attrs{"id"} + " has no total"
    }
  }

  // What a rule raises with `error`: system:error, with its level, data, rule and ruleset.
  rule report {
    select when system error
    errors:submit(event:attrs{"data"}, {
      "level": event:attrs{"level"},
      "RuleID": event:attrs{"rid"},
      "RuleName": event:attrs{"rule_name"}
    })
  }
}
