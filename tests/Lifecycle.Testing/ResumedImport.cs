using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.Testing;

/// <summary>
/// Breaks an import with a request id off in the middle and sends the file again: it must go on, answer for the whole, and then keep its
/// answer.
/// </summary>
public static class ResumedImport
{
    /// <param name="service">REST address of the service.</param>
    /// <param name="identity">Identity token of the caller.</param>
    /// <param name="path">Path of the import.</param>
    /// <param name="header">First line of the file.</param>
    /// <param name="row">Rows by their number from 0, each new.</param>
    /// <param name="rows">Rows of the file: more than two transactions.</param>
    /// <param name="stored">Rows stored so far.</param>
    /// <returns>Answers of the resumed import, of the same once more, and of another file with the request id.</returns>
    public static async Task<(JsonNode Resumed, JsonNode Again, HttpStatusCode Another)> Run(
        Uri service, string identity, string path, string header, Func<int, string> row, int rows, Func<Task<long>> stored)
    {
        using var client = new HttpClient { BaseAddress = service };
        var file = header + "\n" + string.Concat(Enumerable.Range(0, rows).Select(index => row(index) + "\n"));
        using var body = new PausedFile(file, rows * 3 / 4);
        var running = Send(client, identity, path, body);
        await Eventually.True(async () => await stored() > 0, "the first rows are stored");
        body.Break();
        try
        {
            await running;
            throw new InvalidOperationException("The broken import was answered.");
        }
        catch (HttpRequestException)
        {
            // As the sender sees a broken connection.
        }

        // What was read before the break may still be being stored. Until that has ended, another request with its id is refused.
        var (status, resumed) = await Eventually.Passes(
            async () =>
            {
                using var whole = new StringContent(file, Encoding.UTF8, "text/csv");
                var answer = await Send(client, identity, path, whole);
                return answer.Body["detail"]?.GetValue<string>().Contains("is importing", StringComparison.Ordinal) == true
                    ? throw new InvalidOperationException(answer.Body.ToJsonString())
                    : answer;
            },
            "the broken import has ended");
        using var once = new StringContent(file, Encoding.UTF8, "text/csv");
        var (_, again) = status == HttpStatusCode.OK
            ? await Send(client, identity, path, once)
            : throw new InvalidOperationException(resumed.ToJsonString());
        using var other = new StringContent(file + row(rows) + "\n", Encoding.UTF8, "text/csv");
        var (another, _) = await Send(client, identity, path, other);
        return (resumed, again, another);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> Send(
        HttpClient client, string identity, string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Add("x-lifecycle-identity", identity);
        request.Headers.Add("Idempotency-Key", "import-1");
        using var response = await client.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
