using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Lifecycle.Webhooks;

/// <summary>Where a delivery goes, as of now.</summary>
/// <param name="Url">Address.</param>
/// <param name="Secrets">Keys to sign with: one, two while a key is changed, none for receivers who want no signature.</param>
public sealed record WebhookTarget(Uri Url, IReadOnlyList<WebhookSecret> Secrets);

/// <summary>What came of an attempt.</summary>
/// <param name="Status">HTTP status; 0 where no answer came.</param>
/// <param name="Error">Why it failed; null where it did not.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again.</param>
public sealed record WebhookOutcome(int Status, string? Error, TimeSpan? RetryAfter, TimeSpan Duration)
{
    public bool Succeeded => Error is null;

    /// <summary>The receiver wants nothing more, ever.</summary>
    public bool IsGone => Status == (int)HttpStatusCode.Gone;
}

/// <summary>Sends one delivery, signed, once.</summary>
/// <param name="client">See <see cref="GuardedHttp"/>.</param>
/// <param name="time">Clock of the signatures.</param>
public sealed class WebhookSender(HttpClient client, TimeProvider time)
{
    public async Task<WebhookOutcome> Send(WebhookTarget target, string webhookId, string json, CancellationToken ct)
    {
        var (body, now, started) = (Encoding.UTF8.GetBytes(json), time.GetUtcNow(), Stopwatch.GetTimestamp());
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, target.Url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Lifecycle-Webhooks", "1.0"));
            if (target.Secrets.Count > 0)
            {
                request.Headers.Add(WebhookSignature.IdHeader, webhookId);
                request.Headers.Add(WebhookSignature.TimestampHeader, WebhookSecret.Seconds(now));
                request.Headers.Add(WebhookSignature.SignatureHeader,
                    string.Join(' ', target.Secrets.Select(secret => secret.Sign(webhookId, now, body))));
            }

            // The answer's body tells us nothing: it is not even read.
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            var retryAfter = response.Headers.RetryAfter is { } header ? header.Delta ?? (header.Date - now) : null;
            return new(
                (int)response.StatusCode, response.IsSuccessStatusCode ? null : $"The endpoint answered {(int)response.StatusCode}.",
                    retryAfter,
                Stopwatch.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(0, "The endpoint did not answer in time.", null, Stopwatch.GetElapsedTime(started));
        }
        catch (HttpRequestException exception)
        {
            return new(0, (exception.GetBaseException() as PrivateAddressException ?? (Exception)exception).Message, null,
                Stopwatch.GetElapsedTime(started));
        }
    }
}
