using System.Runtime.CompilerServices;
using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Testing;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

/// <summary>What the SQL of lists means to Postgres.</summary>
public sealed class ListQueryTests : IAsyncLifetime
{
    private static readonly ListFields Fields = new ListFields("id", "id")
        .Sortable("createTime", "create_time", FieldKind.Time).Sortable("amount", "amount", FieldKind.Number).Sortable("name", "name")
        .Add("owner", "owner").Names("state", "state", ["OPEN", "WON"]).Add("done", "done", FieldKind.Boolean)
        .Add("labels", "labels", FieldKind.Texts)
        .Add("day", "day", FieldKind.Date).Json("traits", "traits");

    private readonly NpgsqlConnection connection = new(TestServers.Postgres);

    public async ValueTask InitializeAsync()
    {
        // Dapper's settings of the suite are made when its first type is used.
        RuntimeHelpers.RunModuleConstructor(typeof(LifecycleDbContext).Module.ModuleHandle);
        await connection.OpenAsync();
        await connection.ExecuteAsync(
            """
            create temp table deal (id uuid primary key, create_time timestamptz not null, amount numeric not null, name text not null, owner text, state text,
              done boolean, labels text[], day date, traits jsonb);
            insert into deal
            select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, timestamptz '2026-01-01 00:00:00.123456+00' + (i / 3) * interval '1 day', i % 4,
              'deal_' || i, case when i % 2 = 0 then 'ann' end, case when i % 5 = 0 then 'WON' else 'OPEN' end, i % 2 = 0, array['l' || i % 3], date '2026-01-01' + i,
              jsonb_build_object('plan', case when i % 2 = 0 then 'pro' else 'free' end, 'any key', i::text)
            from generate_series(1, 30) i
            """);
    }

    [Theory]
    [InlineData("", 30)]
    [InlineData("state = WON", 6)]
    [InlineData("state != WON", 24)]
    [InlineData("owner:*", 15)]
    [InlineData("NOT owner = ann", 15)]
    [InlineData("owner != ann", 15)]
    [InlineData("name : _1", 11)]
    [InlineData("name : DEAL_3", 2)]
    [InlineData("amount >= 2 AND amount < 3.5", 15)]
    [InlineData("state = WON OR amount = 0", 12)]
    [InlineData("done = true state = WON", 3)]
    [InlineData("(state = WON AND done = true) OR amount = 0", 9)]
    [InlineData("-(state = WON)", 24)]
    [InlineData("createTime < 2026-01-02", 2)]
    [InlineData("createTime >= \"2026-01-11T00:00:00.123456Z\"", 1)]
    [InlineData("day = 2026-01-11", 1)]
    [InlineData("labels : l1", 10)]
    [InlineData("traits.plan = pro", 15)]
    [InlineData("traits.plan : 'PR'", 15)]
    [InlineData("id = 00000000-0000-7000-8000-000000000007", 1)]
    [InlineData("name = \"deal_1' or true --\"", 0)]
    public async Task Filter_Means(string filter, int rows)
    {
        var query = ListQuery.Parse(Fields, 1000, "", filter, "", "createTime desc").OrThrow();

        Assert.Equal(rows, (await Rows(query)).Count);
    }

    [Theory]
    [InlineData("createTime desc")]
    [InlineData("createTime")]
    [InlineData("amount desc, createTime")]
    [InlineData("amount, name desc")]
    [InlineData("name")]
    [InlineData("id desc")]
    public async Task Pages_ShowEveryRowOnceInOrder(string orderBy)
    {
        var whole = (await Rows(ListQuery.Parse(Fields, 1000, "", "amount > 0", orderBy, "id").OrThrow())).Select(row => row.Id).ToList();
        var paged = new List<Guid>();
        var token = "";
        do
        {
            var query = ListQuery.Parse(Fields, 4, token, "amount > 0", orderBy, "id").OrThrow();
            var (page, next) = query.Page(await Rows(query), row => row.PageKey);
            paged.AddRange(page.Select(row => row.Id));
            Assert.InRange(page.Count, 1, 4);
            token = next;
        }
        while (token.Length > 0);

        Assert.Equal(23, whole.Count);
        Assert.Equal(whole, paged);
    }

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    private async Task<List<Row>> Rows(ListQuery query) => (await connection.QueryAsync<Row>(
        $"select id, {query.PageKey} from deal where {query.Where} order by {query.OrderBy} limit {query.Limit}",
        new DynamicParameters(query.Parameters))).AsList();

    private sealed class Row
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
