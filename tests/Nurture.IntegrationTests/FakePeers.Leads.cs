using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;

namespace Nurture.IntegrationTests;

/// <summary>Capture's leads by their address, as its import makes them and its list tells them.</summary>
internal sealed partial class FakePeers
{
    public ConcurrentDictionary<string, Guid> LeadIds { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows that were imported, dry runs apart.</summary>
    public ConcurrentQueue<JsonObject> Imported { get; } = [];

    private sealed partial class Leads
    {
        public override async Task<ImportResponse> ImportLeads(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context)
        {
            var (file, isDryRun) = (new StringBuilder(), false);
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                isDryRun = requestStream.Current.DryRun;
                file.Append(requestStream.Current.Data.ToStringUtf8());
            }

            var answer = new ImportResponse();
            foreach (var (line, index) in file.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select((line, index) => (line, index)))
            {
                var row = JsonNode.Parse(line)!.AsObject();
                if (row["createTime"]?.GetValue<string>() == "soon")
                {
                    answer.Rejected.Add(new ImportRejection { Line = index + 1, Errors = { "createTime must be a time." } });
                }
                else if (!isDryRun)
                {
                    peers.Imported.Enqueue(row);
                    peers.LeadIds.TryAdd(row["email"]!.GetValue<string>(), Guid.CreateVersion7());
                }
            }

            return answer;
        }

        public override Task<ListLeadsResponse> ListLeads(ListLeadsRequest request, ServerCallContext context)
        {
            var answer = new ListLeadsResponse();
            foreach (Match term in Terms().Matches(request.Filter))
            {
                if (peers.LeadIds.TryGetValue(term.Groups[1].Value, out var id))
                {
                    answer.Leads.Add(new Lead { Id = id.ToString(), Email = term.Groups[1].Value });
                }
            }

            return Task.FromResult(answer);
        }

        [GeneratedRegex("email = \"([^\"]*)\"")]
        private static partial Regex Terms();
    }
}
