using Lifecycle.Nurture;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<NurtureDbContext>(args, builder.Configuration, "nurture"))
{
    return;
}

builder.AddServiceDefaults("nurture");
builder.AddLifecycleDatabase<NurtureDbContext>("nurture");
builder.AddLifecycleBus("nurture", NurtureSetup.Subscribe);
builder.AddLifecycleRpc();
builder.AddNurture();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseLifecycleRpc();
app.MapNurture();
app.Run();
