using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Scoring;
using Lifecycle.Scoring.Storage;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<ScoringDbContext>(args, builder.Configuration, "scoring"))
{
    return;
}

builder.AddServiceDefaults("scoring");
builder.AddLifecycleDatabase<ScoringDbContext>("scoring");
builder.AddLifecycleBus("scoring", bus => bus.ConsumeScoring());
builder.AddLifecycleRpc();
builder.AddScoring();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseLifecycleRpc();
app.MapScoring();
app.Run();
