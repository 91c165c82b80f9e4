using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Rpc.Rest;

/// <summary>What the caller wants to read (RFC 9110, 12.5.1), and sends that cannot be read.</summary>
internal static class AcceptedTypes
{
    /// <summary>Whether <c>text/csv</c> is named, and no less than JSON: the higher weight wins, of equal ones the first. <c>*/*</c> means
    /// JSON.</summary>
    public static bool PrefersCsv(StringValues accept) =>
        MediaTypeHeaderValue.TryParseList(accept, out var types)
        && types.Where(type => type.MediaType.Equals("text/csv", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(type => type.Quality ?? 1).FirstOrDefault() is { } best
        && best.MediaType.Equals("text/csv", StringComparison.OrdinalIgnoreCase) && best.Quality != 0;

    /// <summary>The problem of a body that is compressed, which only ingest reads; null for any other.</summary>
    public static Problem? EncodingFault(HttpContext http) =>
        http.Request.Headers.ContentEncoding is { Count: > 0 } encoding
            && !encoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase)
            ? Problem.ForStatus(http, StatusCodes.Status415UnsupportedMediaType, "The method takes no Content-Encoding.")
            : null;
}
