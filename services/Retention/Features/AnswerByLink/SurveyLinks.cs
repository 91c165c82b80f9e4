using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.AnswerByLink;

/// <summary>Who answers what, as an opaque link carries it.</summary>
/// <param name="AskedId">The invitation, or the customer where the link was made by hand.</param>
public sealed record SurveyLinkTarget(Guid WorkspaceId, Guid SurveyId, Guid AskedId);

/// <summary>
/// Links to the answer page. The token is base64url of workspace, survey, invitation or customer, day of expiry (52 bytes) and the first 16
/// bytes of their HMAC-SHA256 under a key of its own, derived from the identity secret.
/// </summary>
public sealed class SurveyLinks(IConfiguration configuration, IOptions<RetentionOptions> options, TimeProvider time)
{
    private const int TargetLength = 52;
    private const int SignatureLength = 16;

    private readonly byte[] key = HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Convert.FromBase64String(configuration["Lifecycle:IdentitySecret"] ?? ""), 32,
        info: Encoding.UTF8.GetBytes("retention survey links"));

    public Uri Create(Guid workspaceId, Guid surveyId, Guid askedId)
    {
        var token = new byte[TargetLength + SignatureLength];
        workspaceId.TryWriteBytes(token);
        surveyId.TryWriteBytes(token.AsSpan(16));
        askedId.TryWriteBytes(token.AsSpan(32));
        BinaryPrimitives.WriteInt32BigEndian(token.AsSpan(48), Day(time.GetUtcNow()) + options.Value.LinkDays);
        HMACSHA256.HashData(key, token.AsSpan(0, TargetLength)).AsSpan(0, SignatureLength).CopyTo(token.AsSpan(TargetLength));
        return new Uri(options.Value.PublicBaseUrl, $"/s/{WebEncoders.Base64UrlEncode(token)}");
    }

    /// <summary>Null for a token that is not ours, was changed, or is past its day.</summary>
    public SurveyLinkTarget? Read(string token)
    {
        var bytes = new byte[TargetLength + SignatureLength];
        try
        {
            var decoded = token.Length > 128 ? [] : WebEncoders.Base64UrlDecode(token);
            if (decoded.Length != bytes.Length)
            {
                return null;
            }

            bytes = decoded;
        }
        catch (FormatException)
        {
            return null;
        }

        var expected = HMACSHA256.HashData(key, bytes.AsSpan(0, TargetLength)).AsSpan(0, SignatureLength);
        return CryptographicOperations.FixedTimeEquals(expected, bytes.AsSpan(TargetLength))
            && BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(48)) >= Day(time.GetUtcNow())
            ? new(new Guid(bytes.AsSpan(0, 16)), new Guid(bytes.AsSpan(16, 16)), new Guid(bytes.AsSpan(32, 16)))
            : null;
    }

    private static int Day(DateTimeOffset instant) => (int)(instant.ToUnixTimeSeconds() / 86400);
}
