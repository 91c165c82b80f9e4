using Google.Protobuf.Reflection;
using Lifecycle.Capture.V1;
using Lifecycle.Gateway.Keys;
using Lifecycle.Rpc;

namespace Lifecycle.Gateway.Routes;

/// <summary>A path of a service that is no RPC.</summary>
/// <param name="Service">Service behind it.</param>
/// <param name="Verb">Verbs, by commas.</param>
/// <param name="Path">Path template.</param>
/// <param name="Metadata">Access.</param>
/// <param name="Summary">What it does, for the OpenAPI document.</param>
internal sealed record ExtraRoute(string Service, string Verb, string Path, object[] Metadata, string Summary)
{
    /// <summary>JSON taken.</summary>
    public MessageDescriptor? Body { get; init; }

    /// <summary>JSON answered; else see <see cref="ContentType"/>.</summary>
    public MessageDescriptor? Answer { get; init; }

    public string ContentType { get; init; } = "text/html";

    /// <summary>Whether the body may be a form, too.</summary>
    public bool TakesForms { get; init; }

    /// <summary>Parameters in the query, beside the key.</summary>
    public IReadOnlyList<(string Name, string Description)> Query { get; init; } = [];
}

/// <summary>What is served beside the RPCs: Segment's ingest, the tracking script and pixel, the links in e-mails and surveys.</summary>
internal static class ExtraRoutes
{
    private static readonly object[] Ingest = [new RpcAccess(KeyScopes.Ingest), new IngestEndpoint()];
    private static readonly object[] Public = [new PublicEndpoint()];

    public static IReadOnlyList<ExtraRoute> All { get; } =
    [
        new("capture", "POST", "/v1/batch", Ingest, "Takes in many messages; each stands for itself")
        {
            Body = BatchRequest.Descriptor,
            Answer = BatchResponse.Descriptor
        },
        .. new[] { "identify", "track", "page", "screen", "group", "alias" }.Select(type =>
            new ExtraRoute("capture", "POST", $"/v1/{type}", Ingest, $"Takes in one message of type {type}")
            {
                Body = IngestMessage.Descriptor,
                Answer = BatchResponse.Descriptor
            }),
        new("capture", "POST", "/v1/calls", Ingest, "Records a call that a call-tracking vendor reports")
        {
            Body = RecordCallRequest.Descriptor,
            TakesForms = true,
            Answer = BatchResponse.Descriptor
        },
        new("capture", "POST", "/v1/chats", Ingest, "Records a chat that a chat vendor reports")
        {
            Body = RecordChatRequest.Descriptor,
            TakesForms = true,
            Answer = BatchResponse.Descriptor
        },
        new(
            "capture", "GET,HEAD", "/t.js", [new PublicEndpoint(), new OptionalKey()],
            "The tracking script, for the workspace of the publishable key `key`")
        {
            ContentType = "text/javascript",
        },
        new("capture", "GET", "/t/number", Ingest, "The telephone number for a visit of page `u` from `r`; 204 for a direct visit")
        {
            ContentType = "application/json",
            Query = [("u", "Address of the page."), ("r", "Address of the page before.")],
        },
        new("capture", "GET", "/t.gif", Ingest, "The tracking pixel, for pages without script: records a page view")
        {
            ContentType = "image/gif",
            Query =
            [
                ("u", "Address of the page; else the Referer."), ("r", "Address of the page before."), ("t", "Title of the page."),
                ("a", "Id of the visitor; else that of the cookie `lc_id`."), ("c", "`1`: the visitor consents, `0`: refuses."),
            ],
        },
        new("nurture", "GET,HEAD", "/e/o/{token}", Public, "Records that an e-mail was opened") { ContentType = "image/gif" },
        new("nurture", "GET,HEAD", "/e/c/{token}", Public, "Records a click in an e-mail and leads on to its target"),
        new("nurture", "GET,HEAD,POST", "/e/u/{token}", Public, "Unsubscribes from e-mails (RFC 8058)"),
        new("conversion", "POST", "/v1/crm/{token}/inbound", Public, "Takes a CRM's webhook, signed with its connection's secret")
        {
            ContentType = "application/json"
        },
        new(
            "conversion", "GET", "/v1/exports/offlineConversions", [new RpcAccess("conversion:read")],
            "Won deals by the advertisement's click, from one day to before another (`from`, `to`), or a file that was handed out before (`exportId`)")
        {
            ContentType = "text/csv",
        },
        new("retention", "GET,HEAD,POST", "/s/{token}", Public, "Shows a survey and takes its answer"),
        new("retention", "GET,HEAD", "/r/{workspace}/{code}", Public, "Counts a click on a referral link and leads on to its landing page")
        {
            ContentType = "text/plain"
        },
    ];
}
