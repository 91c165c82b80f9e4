using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.ClientFactory;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ImportEnrollments;

/// <summary>A row of a file that names nobody known here, with its normalized address.</summary>
internal sealed record UnknownRow(int Line, string Email, IReadOnlyDictionary<string, string?> Values);

/// <summary>Whom Capture made, or knew already: the lead of each address, and what it refused.</summary>
internal sealed record CapturedRows(IReadOnlyDictionary<string, Guid> Leads, IReadOnlyDictionary<int, IReadOnlyList<string>> Faults);

/// <summary>
/// Has Capture make leads of rows, as its own import of leads does: every column that is not ours goes along. It changes nothing where a
/// lead says the same already, so that it may be asked again.
/// </summary>
internal sealed class CaptureLeadsHandler(GrpcClientFactory clients, RpcCalls calls)
{
    private const int ChunkSize = 256 * 1024;

    /// <summary>Comparisons of one filter, of which the list takes 50, and its length, of which it takes 2,000 characters.</summary>
    private const int MaxTerms = 40;
    private const int MaxFilter = 1_900;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private LeadService.LeadServiceClient Client =>
        clients.CreateClient<LeadService.LeadServiceClient>(nameof(LeadService.LeadServiceClient));

    /// <summary>UNAVAILABLE where Capture does not answer: what was made by then stays, and is found the next time.</summary>
    public async Task<Result<CapturedRows>> Capture(Caller caller, IReadOnlyList<UnknownRow> rows, bool isDryRun, CancellationToken ct)
    {
        try
        {
            var faults = await Import(caller, rows, isDryRun, ct);
            return new CapturedRows(isDryRun ? new Dictionary<string, Guid>() : await Find(caller, rows, ct), faults);
        }
        catch (RpcException fault)
            when (fault.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && !ct.IsCancellationRequested)
        {
            return Error.Unavailable("Capture does not answer; send the file again, with the same request id to go on where it ended.");
        }
    }

    private async Task<Dictionary<int, IReadOnlyList<string>>> Import(
        Caller caller, IReadOnlyList<UnknownRow> rows, bool isDryRun, CancellationToken ct)
    {
        using var call = Client.ImportLeads(calls.As(caller, ct, Deadline));
        var file = new StringBuilder();
        foreach (var row in rows)
        {
            file.Append(JsonSerializer.Serialize(row.Values)).Append('\n');
        }

        var data = Encoding.UTF8.GetBytes(file.ToString());
        for (var at = 0; at < data.Length; at += ChunkSize)
        {
            await call.RequestStream.WriteAsync(
                new ImportChunk
                {
                    ContentType = "application/x-ndjson",
                    DryRun = isDryRun,
                    Data = ByteString.CopyFrom(data, at, Math.Min(ChunkSize, data.Length - at)),
                },
                ct);
        }

        await call.RequestStream.CompleteAsync();
        // A line of ours for each row, from 1.
        return (await call.ResponseAsync).Rejected.GroupBy(rejection => rows[rejection.Line - 1].Line)
            .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)group.SelectMany(rejection => rejection.Errors).ToList());
    }

    private async Task<Dictionary<string, Guid>> Find(Caller caller, IReadOnlyList<UnknownRow> rows, CancellationToken ct)
    {
        var leads = new Dictionary<string, Guid>(StringComparer.Ordinal);
        var (terms, length) = (new List<string>(), 0);
        foreach (var term in rows.Select(row => row.Email).Distinct().Select(Term))
        {
            if (terms.Count == MaxTerms || length + term.Length > MaxFilter)
            {
                await Ask();
            }

            terms.Add(term);
            length += term.Length + 4;
        }

        await Ask();
        return leads;

        async Task Ask()
        {
            if (terms.Count > 0)
            {
                var found = await Client.ListLeadsAsync(
                    new ListLeadsRequest { Filter = string.Join(" OR ", terms), PageSize = 1000 }, calls.As(caller, ct, Deadline));
                foreach (var lead in found.Leads)
                {
                    leads[EmailAddress.Normalize(lead.Email) ?? lead.Email] = Guid.Parse(lead.Id);
                }
            }

            (terms, length) = ([], 0);
        }
    }

    private static string Term(string email) =>
        $"email = \"{email.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
