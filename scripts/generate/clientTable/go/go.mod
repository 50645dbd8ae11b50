module appservice-ping/client-table

go 1.21
