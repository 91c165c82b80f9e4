using System.Security.Cryptography;
using System.Text;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>What came with a request for a mail, as a template.</summary>
internal static class RequestedTemplate
{
    /// <summary>Its id is made of its text: the same text is compiled once.</summary>
    public static EmailRow Of(Guid workspaceId, RequestedContent content) => new()
    {
        WorkspaceId = workspaceId,
        Id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{content.Subject}\0{content.Html}")).AsSpan(0, 16)),
        DisplayName = "",
        Subject = content.Subject,
        Html = content.Html,
        Text = "",
        FromName = "",
        FromAddress = "",
        ReplyTo = "",
        Version = 0,
        CreateTime = default,
        UpdateTime = default,
    };
}
