using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lifecycle.Kernel;
using Microsoft.AspNetCore.WebUtilities;

namespace Lifecycle.Rpc;

/// <summary>
/// Opaque places in a list: base64url of the JSON array [hash of the query, key…] of the last row shown. A token of another query is
/// refused.
/// </summary>
public static class PageTokens
{
    /// <summary>Rows on a page when none are asked for.</summary>
    public const int DefaultSize = 50;

    /// <summary>Most rows on a page.</summary>
    public const int MaxSize = 1000;

    private const int MaxTokenLength = 8192;

    /// <summary>50 for 0, at most 1,000; a negative size is a violation of <c>pageSize</c>.</summary>
    public static int Size(int pageSize, Violations violations) =>
        !violations.Require(pageSize >= 0, "pageSize", "pageSize must be at least 0.") || pageSize == 0
            ? DefaultSize
            : Math.Min(pageSize, MaxSize);

    /// <param name="query">Whatever fixes the list: filter, order, parent.</param>
    /// <param name="key">Order key of the last row of the page, as text.</param>
    public static string Encode(string query, IEnumerable<string> key) =>
        WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(key.Prepend(Hash(query))));

    /// <summary>The order key after which the page begins; empty for the first page.</summary>
    public static Result<IReadOnlyList<string>> Decode(string? token, string query, int keyLength)
    {
        if (string.IsNullOrEmpty(token))
        {
            return Array.Empty<string>();
        }

        try
        {
            var parts = token.Length > MaxTokenLength ? null : JsonSerializer.Deserialize<string[]>(WebEncoders.Base64UrlDecode(token));
            if (parts is not null && parts.Length == keyLength + 1 && parts.All(part => part is not null))
            {
                return parts[0] == Hash(query)
                    ? parts[1..]
                    : Error.Invalid("pageToken", "pageToken belongs to another list: filter and orderBy must stay as they were.");
            }
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            // Not one of ours; answered below.
        }

        return Error.Invalid("pageToken", "pageToken is none that this method gave out.");
    }

    private static string Hash(string query) => WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.UTF8.GetBytes(query)).AsSpan(0, 9));
}
