using Lifecycle.Gateway;
using Lifecycle.Gateway.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<GatewayDbContext>(args, builder.Configuration, "gateway"))
{
    return;
}

builder.AddServiceDefaults("gateway");
builder.AddLifecycleDatabase<GatewayDbContext>("gateway");
builder.AddLifecycleBus("gateway", _ => { });
builder.AddLifecycleRpc();
builder.AddGateway();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseGateway();
app.MapGateway();
app.Run();
