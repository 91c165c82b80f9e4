namespace Lifecycle.Capture.Domain.Messages;

/// <summary>The names by which vendors call the parts of a call or chat; docs/capture.md lists them.</summary>
public static class VendorNames
{
    /// <summary>Own name of a part of a call; null for anything else.</summary>
    public static string? OfCall(string name) => Normal(name) switch
    {
        "callid" or "id" or "callsid" or "calluuid" or "uuid" or "externalid" => "id",
        "callernumber" or "from" or "caller" or "callerid" or "callerphone" or "callerphonenumber" or "customerphonenumber"
            or "customernumber" or "fromnumber" or "ani"
            or "phone" or "phonenumber" => "phone",
        "callername" or "calleridname" or "customername" or "name" => "name",
        "trackingnumber" or "trackingphonenumber" or "to" or "tonumber" or "callednumber" or "dialednumber" or "did" or "dnis" =>
            "trackingNumber",
        "durationseconds" or "duration" or "callduration" or "talktime" or "billsec" => "durationSeconds",
        "answered" or "isanswered" or "callstatus" or "status" or "disposition" => "answered",
        "recordingurl" or "recording" or "recordinglink" => "recordingUrl",
        _ => OfAny(name),
    };

    /// <summary>Own name of a part of a chat; null for anything else.</summary>
    public static string? OfChat(string name) => Normal(name) switch
    {
        "chatid" or "id" or "conversationid" or "threadid" or "ticketid" or "uuid" or "externalid" => "id",
        "name" or "fullname" or "visitorname" or "customername" or "username" or "displayname" => "name",
        "phone" or "phonenumber" or "telephone" or "mobile" or "visitorphone" => "phone",
        "message" or "text" or "transcript" or "firstmessage" or "question" or "lastmessage" => "message",
        "agent" or "agentname" or "operator" or "operatorname" or "assignee" => "agent",
        _ => OfAny(name),
    };

    /// <summary>Letters and digits in lower case.</summary>
    public static string Normal(string name) => name.Length > 100 ? "" : string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    private static string? OfAny(string name) => Normal(name) switch
    {
        "email" or "emailaddress" or "visitoremail" or "customeremail" or "calleremail" => "email",
        "company" or "companyname" or "organization" or "organisation" => "company",
        "starttime" or "startedat" or "start" or "timestamp" or "time" or "date" or "datetime" or "calltime" or "createdat" or "created" =>
            "startTime",
        "source" or "utmsource" or "trafficsource" => "source",
        "medium" or "utmmedium" => "medium",
        "campaign" or "utmcampaign" or "campaignname" => "campaign",
        "keyword" or "keywords" or "utmterm" or "term" => "keyword",
        "landingpage" or "landingpageurl" or "landingurl" or "pageurl" or "page" or "url" => "landingPage",
        "referrer" or "referer" or "referrerurl" or "referringurl" => "referrer",
        "anonymousid" or "visitorid" or "lcid" or "deviceid" => "anonymousId",
        "userid" or "customerid" => "userId",
        _ => null,
    };
}
