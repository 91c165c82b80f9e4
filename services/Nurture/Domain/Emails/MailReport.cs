using System.Text.RegularExpressions;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>What was told of a mail.</summary>
public enum FeedbackKind
{
    /// <summary>The address does not exist or takes no mail.</summary>
    HardBounce = 1,

    /// <summary>Not delivered; the next one may be.</summary>
    SoftBounce = 2,

    /// <summary>Reported as spam.</summary>
    Complaint = 3,

    /// <summary>Answered by the person.</summary>
    Reply = 4,
}

/// <summary>One recipient of a report.</summary>
/// <param name="Address">As the report names it; null where it does not.</param>
/// <param name="Status">Enhanced status code; empty where there is none.</param>
/// <param name="Detail">The server's words.</param>
public sealed record ReportedRecipient(FeedbackKind Kind, string? Address, string Status, string Detail);

/// <summary>A bounce or a complaint that came as a mail.</summary>
/// <param name="MessageId">Message-ID of the mail that it is about, without brackets; null where it is not told.</param>
public sealed partial record MailReport(string? MessageId, IReadOnlyList<ReportedRecipient> Recipients)
{
    /// <summary>Longest text kept of a server's words.</summary>
    public const int MaxDetail = 500;

    private const int MaxRecipients = 100;

    /// <summary>Failures that are the mail's or the moment's, and not the address's (RFC 3463 with its registry).</summary>
    private static readonly string[] SoftDetails = ["1.7", "1.8", "2.2", "2.3", "2.4", "4.5", "4.6", "4.7"];

    /// <summary>
    /// The report in a mail: a delivery status notification (RFC 3464), qmail's form, an abuse report (RFC 5965), or an answer. Null for
    /// any other mail, and for reports of no failure (delayed, delivered, relayed, "not spam").
    /// </summary>
    public static MailReport? Read(string mail)
    {
        var message = MimePart.Parse(mail);
        var parts = message.All.ToList();
        var report = parts.Find(part => part.Type is "message/feedback-report") is { } feedback ? Complaint(feedback, parts)
            : parts.Find(part => part.Type is "message/delivery-status" or "message/global-delivery-status") is { } status
            ? Bounce(status, parts)
            : Qmail(message) ?? Reply(message);
        return report is { Recipients.Count: > 0 } ? report : null;
    }

    /// <summary>Whether a failure is the address's (hard) or the moment's (soft).</summary>
    /// <param name="status">Enhanced status code, e.g. <c>5.1.1</c>.</param>
    /// <remarks>
    /// Class 5 is hard, except for full or too small mailboxes, the sender's own address, loops and expiry, and all of subject 3 (the
    /// receiving system), 5 (protocol), 6 (content) and 7 (policy): a mail refused as spam says nothing of the address.
    /// </remarks>
    public static FeedbackKind KindOf(string status)
    {
        var code = status.Split('.', 3);
        return code is ["5", var subject, var detail] && subject is not ("3" or "5" or "6" or "7")
            && !SoftDetails.Contains($"{subject}.{detail}")
            ? FeedbackKind.HardBounce
            : FeedbackKind.SoftBounce;
    }

    private static MailReport Bounce(MimePart status, List<MimePart> parts)
    {
        // The first block is about the mail; each of the others about one recipient.
        var blocks = BlankLines().Split(status.Text.Replace("\r\n", "\n", StringComparison.Ordinal).Trim('\n')).Select(MimePart.ParseFields)
            .Where(fields => fields.Any(field => Is(field.Name, "Action"))).Take(MaxRecipients);
        var recipients = blocks.Where(fields => Value(fields, "Action")?.Split(' ', ';')[0].ToLowerInvariant() == "failed").Select(fields =>
        {
            var diagnostic = Value(fields, "Diagnostic-Code") ?? "";
            var code = StatusOf(Value(fields, "Status") ?? "", diagnostic);
            return new ReportedRecipient(
                KindOf(code),
                Address(Value(fields, "Original-Recipient")) ?? Address(Value(fields, "Final-Recipient")),
                code,
                Short(diagnostic.Length > 0 ? diagnostic : code));
        });
        return new(OriginalId(parts), [.. recipients]);
    }

    private static MailReport Complaint(MimePart feedback, List<MimePart> parts)
    {
        var fields = MimePart.ParseFields(feedback.Text.TrimStart('\r', '\n'));
        var type = Value(fields, "Feedback-Type")?.ToLowerInvariant() ?? "";
        var address = Address(Value(fields, "Original-Rcpt-To")) ?? Address(Value(fields, "Removal-Recipient"));
        return new(
            OriginalId(parts),
            type is "abuse" or "fraud" or "opt-out" or "opt-out-list"
                ? [new(FeedbackKind.Complaint, address, "", type)]
                : []);
    }

    /// <summary>An answer by a person; mails that a machine sent say so (RFC 3834, 5, and what was in use before it).</summary>
    private static MailReport? Reply(MimePart message)
    {
        var isAutomatic = (message.Header("Auto-Submitted") is { } auto && !auto.StartsWith("no", StringComparison.OrdinalIgnoreCase))
            || message.Header("Precedence")?.Trim().ToLowerInvariant() is "bulk" or "auto_reply" or "junk" or "list"
            || message.Header("X-Autoreply") is not null || message.Header("X-Autorespond") is not null;
        return isAutomatic || message.Type == "multipart/report" || Bare(message.Header("In-Reply-To")) is not { } answered
            ? null
            : new(answered, [new(FeedbackKind.Reply, null, "", "")]);
    }

    /// <summary>qmail's bounce: plain text, a paragraph for each recipient, then the mail.</summary>
    private static MailReport? Qmail(MimePart message)
    {
        var text = message.Text;
        if (message.Type != "text/plain" || !text.TrimStart().StartsWith("Hi. This is the qmail-send program", StringComparison.Ordinal))
        {
            return null;
        }

        var mark = text.IndexOf("--- Below this line is a copy of the message.", StringComparison.Ordinal);
        var recipients = QmailRecipient().Matches(mark < 0 ? text : text[..mark]).Take(MaxRecipients).Select(match =>
        {
            var words = match.Groups["words"].Value;
            var code = StatusOf("", words);
            return new ReportedRecipient(KindOf(code), Address(match.Groups["address"].Value), code, Short(words));
        }).ToList();
        var original = mark < 0 ? null : MimePart.Parse(text[(text.IndexOf('\n', mark) + 1)..].TrimStart('\n'));
        var returned = original is null ? [] : original.Fields.SkipWhile(field => Is(field.Name, "Return-Path")).ToList();
        return new(Bare(Value(returned, "Message-ID")), recipients);
    }

    /// <summary>
    /// The status code; a vague one (5.0.0) gives way to the one in the server's words, none to the class of the reply code.
    /// </summary>
    private static string StatusOf(string status, string diagnostic)
    {
        var told = StatusCode().Match(status) is { Success: true } match ? match.Value : "";
        if (told.Length > 0 && !told.EndsWith(".0.0", StringComparison.Ordinal))
        {
            return told;
        }

        return StatusCode().Match(diagnostic) is { Success: true } inWords ? inWords.Value
            : told.Length > 0 ? told
            : ReplyCode().Match(diagnostic) is { Success: true } reply ? $"{reply.Value[0]}.0.0" : "";
    }

    /// <summary>Message-ID of the returned mail, whole or its header alone.</summary>
    private static string? OriginalId(List<MimePart> parts)
    {
        var returned = parts.Find(
            part => part.Type is "message/rfc822" or "text/rfc822-headers" or "message/global" or "message/global-headers");
        return returned is null ? null : Bare(Value(MimePart.ParseFields(returned.Text.TrimStart('\r', '\n')), "Message-ID"));
    }

    private static string? Bare(string? messageId) => messageId?.Trim().Trim('<', '>') is { Length: > 0 } id ? id : null;

    /// <summary>The address of <c>rfc822; ada@example.com</c> or <c>&lt;ada@example.com&gt;</c>.</summary>
    private static string? Address(string? text) =>
        text is null ? null : EmailAddress.Normalize(text[(text.IndexOf(';', StringComparison.Ordinal) + 1)..].Trim().Trim('<', '>'));

    private static string? Value(IEnumerable<(string Name, string Value)> fields, string name) =>
        fields.Where(field => Is(field.Name, name)).Select(field => field.Value).FirstOrDefault();

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string Short(string text)
    {
        var line = Spaces().Replace(text, " ").Trim();
        return line.Length <= MaxDetail ? line : line[..MaxDetail];
    }

    [GeneratedRegex(@"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex StatusCode();

    [GeneratedRegex(@"(?<!\d)[45]\d\d(?!\d)", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex ReplyCode();

    [GeneratedRegex(@"\n[ \t]*\n+", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex BlankLines();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^<(?<address>[^>\n]+)>:\n(?<words>(?:[^\n]+\n?)+)", RegexOptions.CultureInvariant | RegexOptions.Multiline, 2000)]
    private static partial Regex QmailRecipient();
}
