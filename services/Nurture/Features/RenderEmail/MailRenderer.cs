using System.Globalization;
using System.Text.RegularExpressions;
using HandlebarsDotNet;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Microsoft.Extensions.Caching.Memory;

namespace Lifecycle.Nurture.Features.RenderEmail;

/// <summary>A template filled for one lead.</summary>
internal sealed record RenderedMail(string Subject, string Html, string Text);

/// <summary>
/// Fills templates. Values are HTML-escaped in the HTML part and stand as they are in subject and text; an unknown value is empty. Compiled
/// templates are kept in a bounded cache by version.
/// </summary>
internal sealed class MailRenderer : IDisposable
{
    /// <summary>Longest body of a filled mail, characters; loops in a template end here.</summary>
    public const int MaxBody = 1_000_000;

    /// <summary>Longest subject of a filled mail, characters.</summary>
    public const int MaxSubject = 2_000;

    private readonly IHandlebars html = Handlebars.Create();
    private readonly IHandlebars plain = Handlebars.Create(new HandlebarsConfiguration { NoEscape = true });
    private readonly MemoryCache compiled = new(new MemoryCacheOptions { SizeLimit = 500 });

    /// <summary>Fault of a template's text, or null when it compiles.</summary>
    public string? Fault(string template)
    {
        if (TemplateSyntax.Read(template).Fault is { } fault)
        {
            return fault;
        }

        try
        {
            html.Compile(template);
            return null;
        }
        catch (HandlebarsException exception)
        {
            return exception.Message.ReplaceLineEndings(" ");
        }
    }

    /// <summary>Fills the template. An error says what of it cannot be filled.</summary>
    /// <param name="email">The template.</param>
    /// <param name="lead">Values; null: examples.</param>
    /// <param name="unsubscribeUrl">Link that the template may name, and gets in any case.</param>
    /// <param name="more">Values beside the lead's, by group and name.</param>
    public Result<RenderedMail> Render(
        EmailRow email,
        LeadFacts? lead,
        string unsubscribeUrl,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? more = null)
    {
        try
        {
            var template = compiled.GetOrCreate((email.Id, email.Version), entry =>
            {
                entry.Size = 1;
                return new Compiled(
                    Compile(plain, email.Subject), Compile(html, email.Html), email.Text.Length == 0 ? null : Compile(plain, email.Text));
            })!;
            var values = Values(lead ?? ExampleLead, unsubscribeUrl);
            foreach (var (group, named) in more ?? new Dictionary<string, IReadOnlyDictionary<string, string>>())
            {
                values[group] = named.ToDictionary(value => value.Key, value => (object?)value.Value);
            }

            var body = TrackedHtml.EnsureUnsubscribe(Fill(template.Html, values, MaxBody), unsubscribeUrl);
            return new RenderedMail(
                Fill(template.Subject, values, MaxSubject),
                body,
                template.Text is { } text ? Fill(text, values, MaxBody) : PlainText.FromHtml(body));
        }
        catch (Exception exception) when (exception is HandlebarsException or RegexMatchTimeoutException or MailTooLongException)
        {
            return Error.Precondition($"The template cannot be filled: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>
    /// Leads the links through the suite, in the HTML and in the text made of it. An error where the HTML is too tangled to be read in
    /// time.
    /// </summary>
    public static Result<(TrackedHtml Html, string Text)> Track(RenderedMail mail, string unsubscribeUrl, Func<ushort, string> linkUrl)
    {
        try
        {
            var tracked = TrackedHtml.Rewrite(mail.Html, unsubscribeUrl, linkUrl);
            return (tracked, PlainText.FromHtml(tracked.Html));
        }
        catch (RegexMatchTimeoutException)
        {
            return Error.Precondition("The template's HTML is too tangled to find its links.");
        }
    }

    public void Dispose() => compiled.Dispose();

    private static LeadFacts ExampleLead { get; } = new(
        Guid.Empty, "ada@example.com", "42", "FORM", "demo", null, "LEAD", null, "Paid Search", "google", "cpc", "spring", 42, "B", "WARM",
        new Dictionary<string, string> { ["firstName"] = "Ada", ["lastName"] = "Example", ["title"] = "VP Marketing" },
        new("Example Ltd", "example.com", "Software", 250, 10_000_000, "Germany"));

    private static HandlebarsTemplate<TextWriter, object, object> Compile(IHandlebars engine, string template) =>
        TemplateSyntax.Read(template).Fault is { } fault
            ? throw new HandlebarsException(fault)
            : engine.Compile(new StringReader(template));

    private static string Fill(HandlebarsTemplate<TextWriter, object, object> template, object values, int limit)
    {
        using var text = new BoundedText(limit);
        template(text, values);
        return text.ToString();
    }

    private static Dictionary<string, object?> Values(LeadFacts lead, string unsubscribeUrl)
    {
        // A trait is reached as lead.traits.x, and as lead.x where no field of the suite has that name.
        var fields = lead.Traits.ToDictionary(trait => trait.Key, trait => (object?)trait.Value, StringComparer.OrdinalIgnoreCase);
        fields["id"] = lead.LeadId.ToString();
        fields["email"] = lead.Email;
        fields["externalId"] = lead.ExternalId;
        fields["captureType"] = lead.CaptureType;
        fields["stage"] = lead.Stage;
        fields["channel"] = lead.Channel;
        fields["source"] = lead.Source;
        fields["medium"] = lead.Medium;
        fields["campaign"] = lead.Campaign;
        fields["score"] = lead.Score?.ToString(CultureInfo.InvariantCulture);
        fields["traits"] = lead.Traits.ToDictionary(trait => trait.Key, trait => (object?)trait.Value, StringComparer.OrdinalIgnoreCase);
        return new(StringComparer.Ordinal)
        {
            ["lead"] = fields,
            ["company"] = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase)
            {
                ["name"] = lead.Company?.Name,
                ["domain"] = lead.Company?.Domain,
                ["industry"] = lead.Company?.Industry,
                ["employees"] = lead.Company?.Employees?.ToString(CultureInfo.InvariantCulture),
                ["annualRevenue"] = lead.Company?.AnnualRevenue?.ToString(CultureInfo.InvariantCulture),
                ["country"] = lead.Company?.Country,
            },
            ["unsubscribeUrl"] = unsubscribeUrl,
        };
    }

    private sealed record Compiled(
        HandlebarsTemplate<TextWriter, object, object> Subject,
        HandlebarsTemplate<TextWriter, object, object> Html,
        HandlebarsTemplate<TextWriter, object, object>? Text);
}
