#!/usr/bin/env bash
# Walks one lead from the first visit to advocate with curl, and prints every request and its answer.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: samples/first-lead.sh

Walks one lead from the first visit to advocate, through a running gateway, and prints every request and its answer. A second lead is handed
back by sales, a third is erased. It takes half a minute.

Environment:
  KEY              secret key with the read and write scopes of all services and metrics:read; ./up prints one
  PUBLISHABLE_KEY  key of the site, which may only send messages; KEY when not given
  GATEWAY          where the gateway answers (http://localhost:8080)
  MAIL             page of the mail sink that ./up prints; when given, the welcome mail is read and its link clicked

Needs curl and jq. Ends with 1 as soon as a step fails. The numbers of the last part are the workspace's: those of a new workspace are this
walk's alone.
TEXT
}

die() { echo "first-lead.sh: $*" >&2; exit 1; }

case ${1:-} in
    -h | --help) usage; exit ;;
    '') ;;
    *) die "unknown argument '$1'; see --help." ;;
esac
for tool in curl jq; do command -v "$tool" >/dev/null || die "$tool is not installed."; done
gateway=${GATEWAY:-http://localhost:8080}
gateway=${gateway%/}
key=${KEY:-}
[[ $key ]] || die 'KEY is not set; give the secret key that ./up prints.'
site_key=${PUBLISHABLE_KEY:-$key}
run=$(date +%s%N | tail -c 9)
browser='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

bold= plain=
[[ ! -t 1 ]] || bold=$'\e[1m' plain=$'\e[0m'
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
iso() { date -u -d "$*" +%Y-%m-%dT%H:%M:%SZ; }
day() { date -u -d "$*" +%Y-%m-%d; }
encode() { jq -rn --arg text "$1" '$text | @uri'; }

# send METHOD PATH [BODY] [CONTENT_TYPE]: the answer in $answer, its status in $status. $bearer is the key.
bearer=$key
send() {
    local response body=()
    [[ ! ${3:-} ]] || body=(-H "Content-Type: ${4:-application/json}" --data-binary "$3")
    response=$(curl -sS --max-time 60 -X "$1" -H "Authorization: Bearer $bearer" "${body[@]}" \
        -w '\n%{http_code}' "$gateway$2") || die "$1 $2: the gateway at $gateway does not answer; start it with ./up."
    status=${response##*$'\n'}
    answer=${response%$'\n'*}
}

show() {
    printf '\n%s\n' "$1"
    if [[ $answer ]]; then jq . <<<"$answer"; else echo "$status"; fi
}

# call METHOD PATH [BODY] [CONTENT_TYPE]: sends, prints, fails unless the status is 2xx.
call() {
    send "$@"
    show "$1 $2"
    [[ $status == 2* ]] || die "$1 $2 ended with $status."
}

get() { jq -r "$1" <<<"$answer"; }

# await WHAT PATH CONDITION: asks until the condition holds of the answer, for a minute at most; prints the last answer.
await() {
    local deadline=$((SECONDS + 60))
    until send GET "$2" && [[ $status == 200 ]] && jq -e "$3" >/dev/null <<<"$answer"; do
        ((SECONDS < deadline)) || { show "GET $2"; die "$1 did not come within a minute."; }
        sleep 0.5
    done
    show "GET $2"
}

# batch MESSAGE…: sends messages with the site's key; none may be refused.
batch() {
    bearer=$site_key
    call POST /v1/batch "$(jq -n '{batch: $ARGS.positional | map(fromjson)}' --args "$@")"
    bearer=$key
    [[ $(get '.rejected | length') == 0 ]] || die 'a message was refused.'
}

# page WHO NUMBER TIME PATH [REFERRER]
page() {
    jq -n --arg who "$1-$run" --arg id "$1-$run-$2" --arg time "$3" --arg agent "$browser" \
        --arg url "https://www.example.com$4" --arg referrer "${5:-}" \
        '{type: "page", messageId: $id, anonymousId: $who, timestamp: $time,
          context: {page: ({url: $url} + if $referrer == "" then {} else {referrer: $referrer} end), userAgent: $agent}}'
}

# track WHO NUMBER TIME EVENT PROPERTIES
track() {
    jq -n --arg who "$1-$run" --arg id "$1-$run-$2" --arg time "$3" --arg event "$4" --argjson properties "$5" --arg agent "$browser" \
        '{type: "track", messageId: $id, anonymousId: $who, timestamp: $time, event: $event,
          properties: $properties, context: {userAgent: $agent}}'
}

# demo_form EMAIL FIRST_NAME TITLE COMPANY EMPLOYEES: properties of the form
demo_form() {
    jq -n --arg email "$1" --arg first "$2" --arg title "$3" --arg company "$4" --argjson employees "$5" \
        '{formId: "demo", formType: "demo",
          fields: {email: $email, firstName: $first, title: $title, company: $company, employees: $employees}}'
}

find_lead() { await 'the lead' "/v1/leads?filter=$(encode "email = \"$1\"")" '.leads | length == 1'; lead=$(get '.leads[0].id'); }
stage() { await "stage $2" "/v1/leads/$1/stage" ".current == \"$2\""; }
open_handoff() { await 'the hand-off' "/v1/handoffs?leadId=$1&state=OPEN" '.handoffs | length == 1'; handoff=$(get '.handoffs[0].id'); }

spring='/?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=lead+scoring'
paper='{"title": "Scoring that sales believe"}'

title '1. Spend of the campaign'
call POST /v1/spend:import "date,source,medium,campaign,amount,currency,impressions,clicks
$(day now),google,cpc,spring,600.00,,10000,150
" text/csv
[[ $(get '.rejected | length') == 0 ]] || die 'the spend was refused.'

title '2. A welcome program that mails every new lead of a form, and those whom sales hand back'
html='<p>Hello {{lead.firstName}},</p><p><a href="https://www.example.com/paper">Read the paper</a></p>
<p><a href="{{unsubscribeUrl}}">Unsubscribe</a></p>'
call POST /v1/emails "$(jq -n --arg html "$html" '{
  displayName: "Welcome", subject: "Your white paper, {{lead.firstName}}", html: $html,
  fromName: "Example", fromAddress: "hello@example.com"}')"
call POST /v1/programs "$(jq -n --arg email "$(get .id)" '{
  displayName: "Welcome", reentry: "AFTER_EXIT", steps: [{id: "welcome", sendEmail: {emailId: $email}}],
  entryTriggers: [{leadCaptured: {captureTypes: ["FORM"]}}, {stageChanged: {to: "LEAD", reason: "RECYCLED"}}]}')"
program=$(get .id)
call POST "/v1/programs/$program:start" '{}'

title '3. A visitor comes from a paid search, comes back two days later from LinkedIn, downloads a paper and asks for a demo'
email="robin-$run@example.com"
batch "$(page robin 1 "$(iso '2 days ago -20 minutes')" "$spring" https://www.google.com/)" \
    "$(page robin 2 "$(iso '2 days ago -18 minutes')" /product)" \
    "$(page robin 3 "$(iso '2 days ago -15 minutes')" /pricing)"
batch "$(page robin 4 "$(iso '-20 minutes')" /blog/scoring https://www.linkedin.com/feed/)" \
    "$(track robin 5 "$(iso '-17 minutes')" 'Content Downloaded' "$paper")" \
    "$(track robin 6 "$(iso '-14 minutes')" 'Form Submitted' "$(demo_form "$email" Robin 'VP Marketing' 'Example Industries' 250)")"
find_lead "$email"
first=$lead
call GET "/v1/leads/$first/journey"
[[ $(get .firstTouch.channel) == 'Paid Search' && $(get .lastTouch.channel) == 'Organic Social' ]] ||
    die 'the touches are not those of the two visits.'

title '4. The score crosses the threshold and hands the lead to sales, with reasons'
stage "$first" MQL
await 'a score of 60' "/v1/scores/$first" '.total >= 60'
call GET "/v1/scores/$first:explain"
open_handoff "$first"

if [[ ${MAIL:-} ]]; then
    title '5. The welcome mail is read: a scanner'"'"'s click does not count, a person'"'"'s does'
    deadline=$((SECONDS + 60))
    until html=$(curl -sS "${MAIL%/}/email" | jq -er --arg to "$email" 'map(select(any(.to[]; .address == $to)))[0].html'); do
        ((SECONDS < deadline)) || die "no mail to $email arrived within a minute."
        sleep 0.5
    done
    [[ $html =~ /e/c/([^\"]+) ]] && link=/e/c/${BASH_REMATCH[1]} || die 'the mail has no link.'
    [[ $html =~ /e/o/([^\"]+) ]] && pixel=/e/o/${BASH_REMATCH[1]} || die 'the mail has no pixel.'
    scanner='Mozilla/5.0 (compatible; Barracuda Sentinel (EE))'
    curl -sS -o /dev/null -A "$scanner" -w "GET /e/c/… as a scanner: %{http_code}\n" "$gateway$link"
    await 'the scanner'"'"'s click, kept apart' "/v1/leads/$first/emails" \
        'any(.emails[].engagements[]; .kind == "CLICK" and .classification != "HUMAN")'
    # Nobody reads so fast as a machine: a click in the same second would be taken for one.
    sleep 4
    curl -sS -o /dev/null -A "$browser" -w "GET /e/o/… as a person: %{http_code}\n" "$gateway$pixel"
    curl -sS -o /dev/null -A "$browser" -w "GET /e/c/… as a person: %{http_code} to %{redirect_url}\n" "$gateway$link"
    await 'the person'"'"'s click in the score' "/v1/scores/$first:explain" 'any(.contributions[]; .ruleId == "email-click")'
fi

title '6. Sales accept, open a deal of 12,000 and win it'
call POST "/v1/handoffs/$handoff:accept" '{"owner": "sales@example.com"}'
usd() { echo "{\"currencyCode\": \"USD\", \"amount\": \"$1\"}"; }
call POST /v1/opportunities "{\"leadId\": \"$first\", \"name\": \"Example Industries\", \"amount\": $(usd 12000.00)}"
opportunity=$(get .id)
stage "$first" OPPORTUNITY
call POST "/v1/opportunities/$opportunity:win" '{}'
stage "$first" CUSTOMER
period="from=$(day '30 days ago')&to=$(day '2 days')"
await 'bookings by first touch' "/v1/reports/attribution?$period&groupBy=channel&model=FIRST_TOUCH" \
    'any(.rows[]?; .group.channel == "Paid Search" and (.value.amount | tonumber) >= 12000)'
call GET "/v1/reports/attribution?$period&groupBy=channel&model=LINEAR"

title '7. The customer buys more, answers 10 and recommends: an advocate'
await 'the customer' "/v1/customers?filter=$(encode "leadId = \"$first\"")" '.customers | length == 1'
customer=$(get '.customers[0].id')
call POST "/v1/customers/$customer/revenue" "{\"type\": \"UPSELL\", \"amount\": $(usd 3000.00), \"recurrence\": \"ONE_OFF\"}"
call POST /v1/surveys '{"type": "NPS", "displayName": "After onboarding"}'
call POST "/v1/surveys/$(get .id)/answers" \
    "{\"customerId\": \"$customer\", \"score\": 10, \"comment\": \"The reasons beside the score won our sellers over.\"}"
call POST /v1/referrals "{\"advocateLeadId\": \"$first\", \"referredEmail\": \"friend-$run@example.net\"}"
stage "$first" ADVOCATE

# ask_for_demo WHO
ask_for_demo() {
    local form
    form=$(demo_form "$1-$run@example.com" Kim 'Director of Marketing' 'Sample Works' 400)
    batch "$(page "$1" 1 "$(iso '-12 minutes')" "$spring" https://www.google.com/)" \
        "$(page "$1" 2 "$(iso '-11 minutes')" /pricing)" \
        "$(track "$1" 3 "$(iso '-10 minutes')" 'Content Downloaded' "$paper")" \
        "$(track "$1" 4 "$(iso '-9 minutes')" 'Form Submitted' "$form")"
    find_lead "$1-$run@example.com"
    stage "$lead" MQL
}

title '8. A second lead is handed back, and nurtured again'
ask_for_demo kim
open_handoff "$lead"
# The program takes a lead again only after it has left; sales are not always this quick.
enrolments="/v1/programs/$program/enrollments?filter=$(encode "leadId = \"$lead\"")"
await 'the end of the first enrolment' "$enrolments" '[.enrollments[].state] == ["COMPLETED"]'
call POST "/v1/handoffs/$handoff:return" '{"reason": "NO_BUDGET", "note": "Asks again next quarter."}'
stage "$lead" LEAD
await 'the second enrolment' "$enrolments" '.enrollments | length == 2'

title '9. A third is erased: gone everywhere, still counted'
ask_for_demo lou
call DELETE "/v1/leads/$lead"
for path in "/v1/leads/$lead" "/v1/scores/$lead" "/v1/leads/$lead/stage"; do
    deadline=$((SECONDS + 60))
    until send GET "$path" && [[ $status == 404 ]]; do
        ((SECONDS < deadline)) || die "$path still answers $status."
        sleep 0.5
    done
    show "GET $path"
done

title '10. The numbers'
months="from=$(day now | cut -c1-7)-01&to=$(day '2 days')&granularity=YEAR"
for wanted in capture:leads,form_leads,spend,clicks,cost_per_lead scoring:qualified_leads nurture:new_leads,mqls,click_rate,cost_per_mql \
    conversion:mqls,sqls,handbacks,new_customers,bookings,roi,cost_per_customer \
    retention:total_sales,upsell_share,nps,referrals,advocates; do
    call GET "/v1/metrics/${wanted%%:*}?$months&metrics=${wanted#*:}"
done
call GET "/v1/reports/source?$period&groupBy=campaign"
send GET "/v1/reports/scorecard?$months"
[[ $status == 200 ]] || { show 'GET /v1/reports/scorecard'; die "the scorecard ended with $status."; }
printf '\nGET /v1/reports/scorecard?%s\n' "$months"
jq -r '(.activities, .outcomes)[] | "\(.service) \(.metric): \(.points[-1].value // "-") \(.unit)"' <<<"$answer"

title "Done: lead $first is an advocate."
