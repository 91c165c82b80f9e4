using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Scoring.Domain;

namespace Scoring.IntegrationTests;

/// <summary>
/// Holds ledger, Redis and replay against each other: what the service keeps of a workspace, what it answers, and what the domain makes of
/// the stored facts in this process.
/// </summary>
internal sealed class Replay(ScoringFixture scoring, Guid workspace)
{
    /// <summary>Throws where they differ.</summary>
    /// <returns>Leads that were compared.</returns>
    public async Task<int> Check(HttpClient? through = null)
    {
        var models = new Dictionary<(string, int), ScoringModel>();
        foreach (var row in await scoring.Database.Query(
            "select score_name, version, definition::text from model where workspace_id = $1 and not removed", workspace))
        {
            var definition = JsonSerializer.Deserialize<ModelDefinition>((string)row[2]!, DefaultModel.Json)!;
            models[((string)row[0]!, (int)row[1]!)] = ModelCompiler.Compile(definition, (int)row[1]!).Value;
        }

        var leads = await scoring.Database.Query(
            """
            select lead_id, 'default' score_name, model_version, profile::text, since::text from lead
            where workspace_id = $1 and state is not null
            union all
            select lead_id, score_name, score.model_version, profile::text, since::text
            from score join lead using (workspace_id, lead_id) where workspace_id = $1 and score.state is not null
            """, workspace);
        Assert.Equal(0L, await scoring.Unprojected(workspace));
        foreach (var row in leads)
        {
            var (lead, name) = ((Guid)row[0]!, (string)row[1]!);
            var model = models.GetValueOrDefault((name, (int)row[2]!)) ?? DefaultModel.Instance;
            await CheckLead(lead, name, model, (string?)row[3], (string)row[4]!, through);
        }

        foreach (var name in leads.Select(row => (string)row[1]!).Distinct())
        {
            await CheckRanking(name, leads.Count(row => (string)row[1]! == name), through);
        }

        return leads.Count;
    }

    private async Task CheckLead(Guid lead, string name, ScoringModel model, string? profile, string since, HttpClient? through)
    {
        var known = JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(since, DefaultModel.Json)!;
        var sheet = Scorer.Score(
            model,
            profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(profile, DefaultModel.Json),
            name == "default" ? known : known.Where(entry => entry.Key.StartsWith($"{name}/", StringComparison.Ordinal))
                .ToDictionary(entry => entry.Key[(name.Length + 1)..], entry => entry.Value),
            await Activities(lead), await Adjustments(lead, name),
            DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));

        // The ledger is the replay, entry by entry.
        var ledger = (await scoring.Database.Query(
            "select rule_id, activity_id, points, floor, time, end_time from ledger where workspace_id = $1 and lead_id = $2 and score_name = $3",
            workspace, lead, name))
            .Select(row => Entry((string)row[0]!, (Guid)row[1]!, (decimal)row[2]!, (decimal)row[3]!, Time(row[4])!.Value, Time(row[5])));
        Assert.Equal(
            sheet.Contributions.Select(entry => Entry(entry.RuleId, entry.ActivityId, entry.Points, entry.Floor, entry.Time, entry.End))
                .Order(StringComparer.Ordinal),
            ledger.Order(StringComparer.Ordinal));

        // The live score is the replay, and the explanation sums to its score to the last digit.
        var live = await Get($"/v1/scores/{lead}?scoreName={name}", through);
        Assert.Equal(sheet.State.PointsAt(AsOf(live)).Total, (decimal)(double)live["total"]!);
        var explained = await Get($"/v1/scores/{lead}:explain?scoreName={name}", through);
        Assert.Equal((decimal)(double)explained["score"]!["total"]!, (explained["contributions"]?.AsArray() ?? []).Sum(
            entry => (decimal)(double)entry!["decayedPoints"]!));
        Assert.Equal(sheet.State.PointsAt(AsOf(explained["score"]!)).Total, (decimal)(double)explained["score"]!["total"]!);
    }

    /// <summary>The ranking holds every lead, highest first, each with the total of its own.</summary>
    private async Task CheckRanking(string name, int count, HttpClient? through)
    {
        var top = (await Get($"/v1/scores:top?limit=1000&scoreName={name}", through))["scores"]?.AsArray() ?? [];
        Assert.Equal(count, top.Count);
        Assert.Equal(top.Select(score => (double)score!["total"]!).OrderDescending(), top.Select(score => (double)score!["total"]!));
        var few = (await Get($"/v1/scores:top?limit=5&scoreName={name}", through))["scores"]?.AsArray() ?? [];
        Assert.Equal(
            top.Take(5).Select(score => (double)score!["total"]!), few.Select(score => (double)score!["total"]!),
            (left, right) => Math.Abs(left - right) < 0.011);
    }

    private async Task<JsonNode> Get(string path, HttpClient? through)
    {
        var (status, body) = await scoring.Call(HttpMethod.Get, path, workspace, through: through);
        return status == System.Net.HttpStatusCode.OK ? body : throw new InvalidOperationException($"GET {path}: {status} {body}");
    }

    private async Task<Activity[]> Activities(Guid lead) => (await scoring.Database.Query(
        "select activity_id, type, name, time, session_id, url, properties::text from activity where workspace_id = $1 and lead_id = $2",
        workspace, lead))
        .Select(row => new Activity(
            (Guid)row[0]!, (string)row[1]!, (string)row[2]!, Time(row[3])!.Value, (Guid?)row[4], (string?)row[5],
            JsonSerializer.Deserialize<Dictionary<string, JsonElement>>((string)row[6]!)!)).ToArray();

    private async Task<Adjustment[]> Adjustments(Guid lead, string name) => (await scoring.Database.Query(
        """
        select adjustment_id, category, points, create_time, undo_time, reason from adjustment
        where workspace_id = $1 and lead_id = $2 and score_name = $3
        """, workspace, lead, name))
        .Select(row => new Adjustment(
            (Guid)row[0]!, (Category)(short)row[1]!, (decimal)row[2]!, Time(row[3])!.Value, null, null, Time(row[4]),
            (string)row[5]!)).ToArray();

    private static DateTimeOffset AsOf(JsonNode score) => DateTimeOffset.Parse((string)score["asOf"]!, null);

    private static DateTimeOffset? Time(object? value) => value switch
    {
        DateTime time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
        DateTimeOffset time => time,
        _ => null,
    };

    private static string Entry(string rule, Guid activity, decimal points, decimal floor, DateTimeOffset time, DateTimeOffset? end) =>
        FormattableString.Invariant($"{rule} {activity} {points:0.####} {floor:0.##} {time:O} {end:O}");
}
