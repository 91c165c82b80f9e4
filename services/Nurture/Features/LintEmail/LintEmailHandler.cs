using System.Net;
using System.Text;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.ManageEmails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.Extensions.Options;
using Severity = Lifecycle.Nurture.V1.LintFinding.Types.Severity;

namespace Lifecycle.Nurture.Features.LintEmail;

/// <summary>Looks a template over before people do.</summary>
internal sealed class LintEmailHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    MailRenderer renderer,
    MailLinks links,
    IOptions<NurtureOptions> options,
    IOptions<WebhookOptions> webhooks) : IDisposable
{
    private const int MaxChecked = 20;
    private static readonly TimeSpan LinkTimeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient http = GuardedHttp.Create(GuardedHttp.Networks(webhooks.Value.AllowedNetworks), LinkTimeout);

    public async Task<LintEmailResponse> Lint(LintEmailRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        Guid? segmentId = request.SegmentId.Length > 0 && violations.RequireId(request.SegmentId, "segmentId", out var segment)
            ? segment
            : null;
        violations.OrThrow();
        var (response, webLinks) = (await unitOfWork.Read(
            context.Caller().WorkspaceId, tx => Lint(tx, id, segmentId), context.CancellationToken)).OrThrow();
        if (request.CheckLinks)
        {
            response.Findings.AddRange(await Ask(webLinks, context.CancellationToken));
        }

        var sorted = response.Findings.OrderBy(finding => finding.Severity).ToList();
        response.Findings.Clear();
        response.Findings.AddRange(sorted);
        return response;
    }

    public void Dispose() => http.Dispose();

    private async Task<Result<(LintEmailResponse Response, IReadOnlyList<string> Links)>> Lint(
        Transaction<NurtureDbContext> tx, Guid id, Guid? segmentId)
    {
        if (!(await EmailGrpcService.Find(tx, id)).TryGet(out var email, out var error))
        {
            return error;
        }

        if (segmentId is { } segment && await tx.Db.Segments.FindAsync([tx.WorkspaceId, segment], tx.CancellationToken) is null)
        {
            return Error.NotFound("Segment", segment);
        }

        var response = new LintEmailResponse();
        var parts = new[] { email.Subject, email.Html, email.Text }.Select(TemplateSyntax.Read).ToList();
        await AddFields(tx, response, parts, segmentId);
        if (parts[1].HasUnescaped)
        {
            response.Findings.Add(HtmlLint.Found(
                Severity.Warning, "UNESCAPED_VALUE",
                "{{{…}}} writes a value as HTML; what a lead typed into a form would become part of the mail."));
        }

        var unsubscribeUrl = links.UnsubscribeUrl(tx.WorkspaceId, Guid.Empty);
        if (!renderer.Render(email, null, unsubscribeUrl).TryGet(out var mail, out var fault)
            || !MailRenderer.Track(mail, unsubscribeUrl, index => links.LinkUrl(tx.WorkspaceId, Guid.Empty, index))
                .TryGet(out var tracked, out fault))
        {
            response.Findings.Add(HtmlLint.Found(Severity.Error, "DOES_NOT_FILL", fault.Message));
            return (response, []);
        }

        var sent = TrackedHtml.AddMarks(
            tracked.Html.Html, links.LinkUrl(tx.WorkspaceId, Guid.Empty, EmailToken.Honeypot), links.PixelUrl(tx.WorkspaceId, Guid.Empty));
        response.HtmlBytes = Encoding.UTF8.GetByteCount(sent);
        var hasUnsubscribe = parts[1].Fields.Any(field => field.Path == "unsubscribeUrl");
        response.Findings.AddRange(HtmlLint.Findings(mail, email.Text.Length > 0, hasUnsubscribe, response.HtmlBytes));
        return (response, [.. HtmlLint.WebLinks(mail.Html).Where(link => link != unsubscribeUrl)]);
    }

    private async Task AddFields(Transaction<NurtureDbContext> tx, LintEmailResponse response, List<TemplateSyntax> parts, Guid? segmentId)
    {
        // A field is guarded only where every part of the mail guards it.
        var fields = parts.SelectMany(part => part.Fields).GroupBy(field => field.Path, StringComparer.OrdinalIgnoreCase)
            .Select(group => new TemplateField(group.First().Path, group.All(field => field.IsGuarded))).ToList();
        foreach (var field in fields.Where(field => !FieldCounts.IsKnown(field.Path)))
        {
            var hint = field.Path.Contains('.', StringComparison.Ordinal) ? "" : $"; perhaps lead.{field.Path} is meant";
            response.Findings.Add(HtmlLint.Found(
                Severity.Error, "UNKNOWN_FIELD", $"No lead has a field {field.Path}{hint}.", field: field.Path));
        }

        var counted = fields.Where(field => !field.IsGuarded && FieldCounts.IsKnown(field.Path)
            && FieldCounts.CanBeMissing(field.Path)).ToList();
        var (leads, without) = await FieldCounts.Count(tx, counted.ConvertAll(field => field.Path), segmentId, options.Value.PreviewLeads);
        response.LeadsCounted = leads;
        foreach (var (path, missing) in without.Where(field => field.Value > 0))
        {
            response.Findings.Add(HtmlLint.Found(
                missing == leads ? Severity.Error : Severity.Warning,
                "MISSING_FIELD",
                $"{missing} of {leads} leads have no {path}; guard it with {{{{#if {path}}}}}…{{{{else}}}}…{{{{/if}}}}.",
                field: path,
                leadsWithout: missing));
        }
    }

    /// <summary>Asks addresses whether they answer. Private ones are not asked, as nobody outside could follow them either.</summary>
    private async Task<IReadOnlyList<LintFinding>> Ask(IReadOnlyList<string> addresses, CancellationToken ct)
    {
        var findings = await Task.WhenAll(addresses.Take(MaxChecked).Select(address => Ask(address, ct)));
        return [.. findings.OfType<LintFinding>()];
    }

    private async Task<LintFinding?> Ask(string address, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.UserAgent.ParseAdd("Lifecycle-Link-Check/1.0");
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            return response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone || (int)response.StatusCode >= 500
                ? HtmlLint.Found(Severity.Error, "BROKEN_LINK", $"The address answers {(int)response.StatusCode}.", address)
                : null;
        }
        catch (Exception fault) when (!ct.IsCancellationRequested
            && fault is HttpRequestException or OperationCanceledException or PrivateAddressException)
        {
            return HtmlLint.Found(
                Severity.Error, "BROKEN_LINK", $"The address does not answer: {fault.GetBaseException().Message}", address);
        }
    }
}
