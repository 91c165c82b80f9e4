using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Storage;

namespace Lifecycle.Nurture.Features.ManageEmails;

/// <summary>What a template must keep to.</summary>
internal static class EmailRules
{
    private const int MaxSubject = 500;
    private const int MaxBody = 200_000;

    /// <summary>Every fault of the template.</summary>
    public static Violations Check(EmailRow email, MailRenderer renderer)
    {
        var violations = new Violations();
        violations.RequireText(email.DisplayName, "displayName");
        if (violations.RequireText(email.Subject, "subject", MaxSubject))
        {
            CheckTemplate(violations, email.Subject, "subject", renderer);
        }

        if (violations.RequireText(email.Html, "html", MaxBody))
        {
            CheckTemplate(violations, email.Html, "html", renderer);
        }

        if (violations.Require(
            email.Text.Length <= MaxBody, "text", $"text has {email.Text.Length} characters; at most {MaxBody} are accepted."))
        {
            CheckTemplate(violations, email.Text, "text", renderer);
        }

        violations.Require(email.FromName.Length <= 200, "fromName", "fromName has at most 200 characters.");
        CheckAddress(violations, email.FromAddress, "fromAddress");
        CheckAddress(violations, email.ReplyTo, "replyTo");
        return violations;
    }

    /// <summary>The draft as a row to store.</summary>
    public static EmailRow Copy(EmailRow draft, Guid id, DateTimeOffset now) => new()
    {
        WorkspaceId = draft.WorkspaceId,
        Id = id,
        DisplayName = draft.DisplayName,
        Subject = draft.Subject,
        Html = draft.Html,
        Text = draft.Text,
        FromName = draft.FromName,
        FromAddress = draft.FromAddress,
        ReplyTo = draft.ReplyTo,
        Version = 1,
        CreateTime = now,
        UpdateTime = now,
    };

    private static void CheckTemplate(Violations violations, string template, string field, MailRenderer renderer)
    {
        if (renderer.Fault(template) is { } fault)
        {
            violations.Add(field, $"{field} does not parse: {fault}");
        }
    }

    private static void CheckAddress(Violations violations, string address, string field) => violations.Require(
        address.Length == 0 || EmailAddress.Normalize(address) is not null, field, $"{field} must be an address such as ada@example.com.");
}
