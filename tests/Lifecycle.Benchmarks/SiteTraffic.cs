using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Lifecycle.Benchmarks;

/// <summary>
/// What a busy site's visitors send: visits of five messages (landing page, two more pages, a tracked event, a last page) with URL, title,
/// referrer and user agent; three in ten visits by someone who was here before, one in thirty ends with a form that makes the visitor
/// known. The same seed makes the same traffic.
/// </summary>
internal sealed class SiteTraffic(int seed, DateTimeOffset start)
{
    private const int VisitMessages = 5;

    private static readonly (string Query, string? Referrer)[] Origins =
    [
        ("", null), ("", "https://www.google.com/"),
        ("?utm_source=google&utm_medium=cpc&utm_campaign=spring-launch&utm_term=lead+scoring&gclid=Cj0KCQiA", "https://www.google.com/"),
        ("?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-42", null), ("", "https://www.linkedin.com/feed/"),
        ("", "https://news.example.com/review"),
        ("?utm_source=linkedin&utm_medium=paid-social&utm_campaign=cto-audience", "https://www.linkedin.com/"),
        ("", "https://www.bing.com/"),
    ];

    private static readonly string[] Pages =
        ["", "product", "pricing", "customers", "docs/getting-started", "blog/lead-scoring-that-works", "integrations/crm", "contact"];

    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    ];

    private readonly Random random = new(seed);
    private readonly ArrayBufferWriter<byte> buffer = new();
    private int visitors;
    private long sent;

    /// <summary>A batch of so many messages, as JSON.</summary>
    public byte[] Batch(int messages)
    {
        buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("batch");
            for (var written = 0; written < messages; written += VisitMessages)
            {
                Visit(json, Math.Min(VisitMessages, messages - written));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>One page view of a new visitor, as the body of <c>POST /v1/page</c>.</summary>
    public byte[] Page()
    {
        buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Visit(json, 1);
        }

        return buffer.WrittenSpan.ToArray();
    }

    // A visitor may be in the same visit again: then it goes on.
    private void Visit(Utf8JsonWriter json, int count)
    {
        var visitor = visitors > 0 && random.Next(10) < 3 ? random.Next(visitors) : visitors++;
        var (query, referrer) = Origins[random.Next(Origins.Length)];
        var agent = Agents[visitor % Agents.Length];
        var begin = start.AddMilliseconds(sent * 2);
        var before = "";
        for (var step = 0; step < count; step++)
        {
            var page = Pages[random.Next(Pages.Length)];
            var url = $"https://www.acme.example/{page}{(step == 0 ? query : "")}";
            var isForm = step == count - 1 && random.Next(30) == 0 && count > 1;
            json.WriteStartObject();
            json.WriteString("type", step == 3 || isForm ? "track" : "page");
            json.WriteString("messageId", $"ajs-next-{start.ToUnixTimeMilliseconds()}-{seed:x4}{sent++:x12}");
            json.WriteString("anonymousId", $"5f0c6a51-{seed:x4}-4d5e-8b1a-{visitor:x12}");
            json.WriteString(
                "timestamp", begin.AddMilliseconds(step * 200).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteStartObject("context");
            json.WriteStartObject("page");
            json.WriteString("url", url);
            json.WriteString("path", $"/{page}");
            json.WriteString("title", $"Acme: {(page.Length == 0 ? "know your leads" : page.Replace('/', ' ').Replace('-', ' '))}");
            json.WriteString("referrer", step == 0 ? referrer ?? "" : before);
            json.WriteEndObject();
            json.WriteString("userAgent", agent);
            json.WriteString("locale", "en-US");
            json.WriteString("timezone", "Europe/Berlin");
            json.WriteStartObject("library");
            json.WriteString("name", "analytics.js");
            json.WriteString("version", "next-1.81.1");
            json.WriteEndObject();
            json.WriteEndObject();
            if (isForm)
            {
                Form(json, visitor);
            }
            else if (step == 3)
            {
                json.WriteString("event", "Video Played");
                json.WriteStartObject("properties");
                json.WriteString("video", "product-tour");
                json.WriteNumber("seconds", random.Next(120));
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartObject("properties");
                json.WriteString("section", page.Split('/')[0]);
                json.WriteNumber("scroll", random.Next(100));
                json.WriteEndObject();
            }

            json.WriteEndObject();
            before = url;
        }
    }

    private void Form(Utf8JsonWriter json, int visitor)
    {
        json.WriteString("event", "Form Submitted");
        json.WriteStartObject("properties");
        json.WriteString("formId", "demo-request");
        json.WriteString("formType", "demo");
        json.WriteStartObject("fields");
        json.WriteString("email", $"person{visitor}.{seed}@company{visitor % 997}.example");
        json.WriteString("name", $"Person {visitor}");
        json.WriteString("title", "Head of Marketing");
        json.WriteString("company", $"Company {visitor % 997}");
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
