using System.Security.Cryptography;
using System.Text;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.RenderEmail;

/// <summary>
/// Addresses in mails. Their key is derived from the identity secret (HKDF, RFC 5869), so that every replica signs and reads alike and no
/// second secret is to be kept.
/// </summary>
internal sealed class MailLinks(IOptions<NurtureOptions> options, IOptions<IdentityOptions> identity)
{
    private readonly Lazy<byte[]> key = new(() => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Convert.FromBase64String(identity.Value.IdentitySecret), 32,
        info: Encoding.UTF8.GetBytes("lifecycle nurture mail links 1")));

    /// <summary>Stands in test mails and previews, where there is nothing to unsubscribe from.</summary>
    public string SampleUnsubscribeUrl => Url('u', "sample");

    public string UnsubscribeUrl(Guid workspaceId, Guid messageId) => Url('u', Sign(new(LinkKind.Unsubscribe, workspaceId, messageId, 0)));

    public string PixelUrl(Guid workspaceId, Guid messageId) => Url('o', Sign(new(LinkKind.Open, workspaceId, messageId, 0)));

    public string LinkUrl(Guid workspaceId, Guid messageId, ushort index) =>
        Url('c', Sign(new(LinkKind.Click, workspaceId, messageId, index)));

    /// <summary>What a token stands for; null for one that is not ours.</summary>
    public EmailToken? Read(string text, LinkKind kind) => EmailToken.Verify(text, kind, key.Value);

    /// <summary>Right side in the mail's own domain, left side the mail's id: the same at each attempt.</summary>
    public string MessageId(Guid messageId) => $"{messageId}@{options.Value.MailDomain}";

    private string Sign(EmailToken token) => token.Sign(key.Value);

    private string Url(char kind, string token) => $"{options.Value.PublicBaseUrl.TrimEnd('/')}/e/{kind}/{token}";
}
